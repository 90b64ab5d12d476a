package io.drover.proxy;

import io.drover.http.HeadWriter;

/** Header lines that an exchange adds to its response, whoever answers. */
interface HeadLines {
    void writeTo(HeadWriter writer);

    /** Whether they tell what the cache had to do with the response. */
    boolean isCacheTold();
}
