package io.drover.testing;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/**
 * A client that holds its records in its own hand: it sends them in pieces, and knows a close_notify from an end
 * without one, which a socket of Java's does not tell. Ten seconds for every read. For one thread.
 */
public final class TlsPeer implements AutoCloseable {
    private final Socket socket;
    private final InputStream in;
    private final SSLEngine engine;
    private final ByteBuffer received = ByteBuffer.allocate(1 << 17).flip();
    private final ByteArrayOutputStream text = new ByteArrayOutputStream();
    private final int piece;
    private boolean reset;

    private TlsPeer(Socket socket, SSLEngine engine, int piece) throws IOException {
        this.socket = socket;
        this.in = socket.getInputStream();
        this.engine = engine;
        this.piece = piece;
    }

    /**
     * Connects, without a byte yet.
     *
     * @param piece so many bytes of TLS are sent at a time
     */
    public static TlsPeer connect(InetSocketAddress address, SSLContext context, String version, int piece)
            throws IOException {
        Socket socket = new Socket();
        socket.setTcpNoDelay(true);
        socket.connect(address, 10_000);
        socket.setSoTimeout(10_000);
        SSLEngine engine = context.createSSLEngine("localhost", address.getPort());
        engine.setUseClientMode(true);
        engine.setEnabledProtocols(new String[] {version});
        return new TlsPeer(socket, engine, piece);
    }

    public TlsPeer shakeHands() throws IOException {
        engine.beginHandshake();
        return endHandshake();
    }

    /** What is left of a handshake that has begun. */
    public TlsPeer endHandshake() throws IOException {
        while (engine.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING) {
            if (engine.getHandshakeStatus() == HandshakeStatus.NEED_UNWRAP) {
                if (!receive()) {
                    throw new IOException("the other side ended the handshake");
                }
            } else {
                sendWhatTlsWants();
            }
        }
        return this;
    }

    /** The first of the handshake's messages only. */
    public TlsPeer sayHello() throws IOException {
        engine.beginHandshake();
        sendWhatTlsWants();
        return this;
    }

    private void sendWhatTlsWants() throws IOException {
        sendRaw(whatTlsWants());
    }

    private byte[] whatTlsWants() throws SSLException {
        ByteArrayOutputStream records = new ByteArrayOutputStream();
        HandshakeStatus status = engine.getHandshakeStatus();
        while (status == HandshakeStatus.NEED_TASK || status == HandshakeStatus.NEED_WRAP) {
            if (status == HandshakeStatus.NEED_TASK) {
                engine.getDelegatedTask().run();
            } else {
                records.writeBytes(wrapped(ByteBuffer.allocate(0)));
            }
            status = engine.getHandshakeStatus();
        }
        return records.toByteArray();
    }

    /** Asks so often for what follows the first handshake: new keys (1.3) or another handshake (1.2). */
    public void askAgain(int times) throws IOException {
        ByteArrayOutputStream records = new ByteArrayOutputStream();
        for (int i = 0; i < times; i++) {
            engine.beginHandshake();
            records.writeBytes(whatTlsWants());
        }
        sendRaw(records.toByteArray());
    }

    public TlsPeer send(String plain) throws IOException {
        ByteBuffer left = ByteBuffer.wrap(plain.getBytes(StandardCharsets.ISO_8859_1));
        while (left.hasRemaining()) {
            sendRaw(wrapped(left));
        }
        return this;
    }

    /** Tells that no more comes; the connection stays. */
    public void sendNotify() throws IOException {
        engine.closeOutbound();
        sendRaw(wrapped(ByteBuffer.allocate(0)));
    }

    /** Sends bytes below TLS. */
    public TlsPeer sendRaw(byte[] bytes) throws IOException {
        for (int at = 0; at < bytes.length; at += piece) {
            socket.getOutputStream().write(bytes, at, Math.min(piece, bytes.length - at));
        }
        return this;
    }

    private byte[] wrapped(ByteBuffer plain) throws SSLException {
        ByteBuffer record = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(plain, record);
        byte[] bytes = new byte[record.flip().remaining()];
        record.get(bytes);
        return bytes;
    }

    /** Reads on until the text so far ends so. */
    public String readUntil(String end) throws IOException {
        while (!text.toString(StandardCharsets.ISO_8859_1).endsWith(end)) {
            if (!receive()) {
                throw new IOException("ended after: " + text.toString(StandardCharsets.ISO_8859_1));
            }
        }
        return text.toString(StandardCharsets.ISO_8859_1);
    }

    /** Reads on until the other side says that it is done, closes or resets. */
    public String readToEnd() throws IOException {
        while (receive()) {
            // Into the text.
        }
        return text.toString(StandardCharsets.ISO_8859_1);
    }

    /** Reads on until the other side closes or resets, and has TLS see none of it. */
    public void awaitEnd() throws IOException {
        try {
            in.transferTo(OutputStream.nullOutputStream());
        } catch (SocketException e) {
            reset = true;
        }
    }

    /** Whether the other side has said that no more comes. */
    public boolean isNotified() {
        return engine.isInboundDone();
    }

    /** Whether the connection ended by a reset. */
    public boolean isReset() {
        return reset;
    }

    /** Takes what is next off the wire; false at its end. */
    private boolean receive() throws IOException {
        ByteBuffer plain = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
        SSLEngineResult result = engine.unwrap(received, plain);
        text.write(plain.array(), 0, plain.position());
        if (engine.isInboundDone()) {
            return false;
        }
        sendWhatTlsWants();
        if (result.bytesConsumed() > 0) {
            return true;
        }
        byte[] more = new byte[1 << 14];
        int count;
        try {
            count = in.read(more);
        } catch (SocketException e) {
            reset = true;
            return false;
        }
        if (count > 0) {
            received.compact().put(more, 0, count).flip();
        }
        return count > 0;
    }

    /** Closes before its time: what {@link #close} does, within a try-with-resources. */
    public void hangUp() throws IOException {
        close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
