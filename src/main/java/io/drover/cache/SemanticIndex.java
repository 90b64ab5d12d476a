package io.drover.cache;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.KnnVectorsWriter;
import org.apache.lucene.codecs.lucene912.Lucene912Codec;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.ConcurrentMergeScheduler;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.SegmentWriteState;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.SearcherManager;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.store.ByteBuffersDirectory;

/**
 * The vectors of prompts whose answers are kept, by group: within one, prompts differ in nothing but their text. Holds the
 * newest of them, up to a bound, in memory.
 *
 * <p>Any thread; both adding and searching take milliseconds, so that it is not for event loops.
 */
public final class SemanticIndex implements AutoCloseable {
    private static final String KEY = "key";
    private static final String GROUP = "group";

    /** As many are looked at: the nearest may be gone from the cache, and a search for one alone is less exact. */
    private static final int CANDIDATES = 16;

    private static final int MOST_DIMENSIONS = 16 * 1024;

    private final int entries;
    private final ByteBuffersDirectory memory = new ByteBuffersDirectory();
    private final IndexWriter writer;
    private final SearcherManager searchers;
    private final Set<CacheKey> oldestFirst = new LinkedHashSet<>();

    /**
     * One that is near.
     *
     * @param key of its answer
     * @param similarity of the two prompts: the cosine of their vectors
     */
    public record Near(CacheKey key, float similarity) {}

    /** Lucene's own, but for its limit of 1024 dimensions, which many models exceed. Written only: it is read as Lucene's. */
    private static final class Wide extends KnnVectorsFormat {
        private final KnnVectorsFormat own;

        Wide(KnnVectorsFormat own) {
            super(own.getName());
            this.own = own;
        }

        @Override
        public KnnVectorsWriter fieldsWriter(SegmentWriteState state) throws IOException {
            return own.fieldsWriter(state);
        }

        @Override
        public KnnVectorsReader fieldsReader(SegmentReadState state) throws IOException {
            return own.fieldsReader(state);
        }

        @Override
        public int getMaxDimensions(String field) {
            return MOST_DIMENSIONS;
        }
    }

    /** @param entries most of them; the oldest leave first */
    public SemanticIndex(int entries) {
        this.entries = entries;
        KnnVectorsFormat wide = new Wide(new Lucene99HnswVectorsFormat());
        ConcurrentMergeScheduler merges = new ConcurrentMergeScheduler();
        merges.setMaxMergesAndThreads(2, 1);
        IndexWriterConfig config = new IndexWriterConfig(null)
                .setUseCompoundFile(false)
                .setCommitOnClose(false)
                .setMergeScheduler(merges)
                .setCodec(new Lucene912Codec() {
                    @Override
                    public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
                        return wide;
                    }
                });
        try {
            writer = new IndexWriter(memory, config);
            searchers = new SearcherManager(writer, null);
        } catch (IOException e) {
            throw inMemory(e);
        }
    }

    /**
     * Adds a prompt, or takes a new vector for it.
     *
     * @param vector of length 1; becomes the index's own
     * @param key of its answer
     */
    public synchronized void add(String group, float[] vector, CacheKey key) {
        Document document = new Document();
        document.add(new StringField(KEY, key.toString(), Field.Store.YES));
        document.add(new StringField(GROUP, group, Field.Store.NO));
        document.add(new KnnFloatVectorField(field(vector), vector, VectorSimilarityFunction.DOT_PRODUCT));
        try {
            writer.updateDocument(term(key), document);
            oldestFirst.remove(key);
            oldestFirst.add(key);
            if (oldestFirst.size() > entries) {
                Iterator<CacheKey> oldest = oldestFirst.iterator();
                writer.deleteDocuments(term(oldest.next()));
                oldest.remove();
            }
            searchers.maybeRefreshBlocking();
        } catch (IOException e) {
            throw inMemory(e);
        }
    }

    /** Those of the group that are at least so similar, the nearest first: not all, but surely almost always the nearest. */
    public List<Near> nearest(String group, float[] vector, double threshold) {
        KnnFloatVectorQuery query =
                new KnnFloatVectorQuery(field(vector), vector, CANDIDATES, new TermQuery(new Term(GROUP, group)));
        List<Near> near = new ArrayList<>();
        try {
            IndexSearcher searcher = searchers.acquire();
            try {
                for (ScoreDoc found : searcher.search(query, CANDIDATES).scoreDocs) {
                    // Lucene's scores are never negative.
                    float similarity = 2 * found.score - 1;
                    if (similarity >= threshold) {
                        String key = searcher.storedFields().document(found.doc).get(KEY);
                        near.add(new Near(CacheKey.parse(key), similarity));
                    }
                }
            } finally {
                searchers.release(searcher);
            }
        } catch (IOException e) {
            throw inMemory(e);
        }
        return near;
    }

    /** The answer is no longer kept. Searches that begin soon may still find it. */
    public synchronized void remove(CacheKey key) {
        if (!oldestFirst.remove(key)) {
            return;
        }
        try {
            writer.deleteDocuments(term(key));
            searchers.maybeRefresh();
        } catch (IOException e) {
            throw inMemory(e);
        }
    }

    /** How many prompts it holds. */
    public synchronized int size() {
        return oldestFirst.size();
    }

    @Override
    public synchronized void close() {
        try {
            searchers.close();
            writer.rollback();
            memory.close();
        } catch (IOException e) {
            throw inMemory(e);
        }
    }

    /** Vectors of one field have one length; models differ in theirs. */
    private static String field(float[] vector) {
        return "vector" + vector.length;
    }

    private static Term term(CacheKey key) {
        return new Term(KEY, key.toString());
    }

    private static UncheckedIOException inMemory(IOException e) {
        return new UncheckedIOException("an index in memory", e);
    }
}
