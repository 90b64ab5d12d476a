package io.drover.bench;

/**
 * Something that is measured.
 *
 * @param group what of it is measured together and voided together
 * @param moreIsBetter or less is
 * @param decimals to print
 */
record Figure(String group, String name, String unit, boolean moreIsBetter, int decimals) {
    static Figure more(String group, String name, String unit, int decimals) {
        return new Figure(group, name, unit, true, decimals);
    }

    static Figure less(String group, String name, String unit, int decimals) {
        return new Figure(group, name, unit, false, decimals);
    }

    String title() {
        return group + ", " + name;
    }
}
