package io.drover.health;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SearchListTest {
    private static final SearchList KUBERNETES = SearchList.parse(List.of(
            "# of a pod",
            "nameserver 10.96.0.10",
            "search llm.svc.cluster.local svc.cluster.local. cluster.local",
            "options ndots:5 timeout:2"));

    @Test
    void fewerDotsThanNdotsAreSearchedForFirst() {
        assertThat(KUBERNETES.candidates("ollama.llm"))
                .containsExactly(
                        "ollama.llm.llm.svc.cluster.local.",
                        "ollama.llm.svc.cluster.local.",
                        "ollama.llm.cluster.local.",
                        "ollama.llm.");
    }

    @Test
    void enoughDotsAreTriedAsTheyAreFirst() {
        assertThat(KUBERNETES.candidates("a.b.c.d.e.f"))
                .startsWith("a.b.c.d.e.f.", "a.b.c.d.e.f.llm.svc.cluster.local.")
                .hasSize(4);
    }

    @Test
    void aDotAtTheEndEndsTheName() {
        assertThat(KUBERNETES.candidates("ollama.")).containsExactly("ollama.");
    }

    @Test
    void withoutSearchANameIsTriedAsItIs() {
        assertThat(SearchList.NONE.candidates("ollama")).containsExactly("ollama.");
        assertThat(SearchList.parse(List.of("nameserver 10.0.0.53", "")).candidates("ollama"))
                .containsExactly("ollama.");
    }

    @Test
    void theLastOfSearchAndDomainWins() {
        SearchList list = SearchList.parse(List.of("search a.test b.test", "domain\tc.test"));

        assertThat(list.candidates("ollama")).containsExactly("ollama.c.test.", "ollama.");
    }

    @Test
    void theRootAsDomainIsTheNameItself() {
        assertThat(SearchList.parse(List.of("search .")).candidates("ollama")).containsExactly("ollama.");
    }

    @Test
    void whatIsTooLongForANameIsNotTried() {
        String longLabel = "x".repeat(60);
        String domain = String.join(".", longLabel, longLabel, longLabel, longLabel);

        assertThat(SearchList.parse(List.of("search " + domain)).candidates("ollama.example"))
                .containsExactly("ollama.example.");
    }

    @Test
    void anOptionThatIsNoNumberIsPassedOver() {
        assertThat(SearchList.parse(List.of("options ndots:x ndots: ndots")).ndots())
                .isEqualTo(1);
    }
}
