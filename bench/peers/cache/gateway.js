// The pattern that gateways with a cache are published with, as a small script for node alone: every request is made one
// that is not streamed, a few of its fields are hashed, Redis is asked in the way of it, and told of the answer after it.
//
//   node gateway.js LISTEN-PORT REDIS-PORT BACKEND-PORT...
//
// It is kinder than most: connections stay open on both sides, what is asked of Redis shares one connection without
// waiting for each other, an error of Redis is a miss, and the client does not wait for SETEX.
'use strict';
const crypto = require('crypto');
const http = require('http');
const net = require('net');

const [listen, redisPort, ...backends] = process.argv.slice(2).map(Number);
const TTL_SECONDS = '3600';

/** One connection; as clients of Redis do, it comes back by itself, and waits for an answer as long as it takes. */
class Redis {
  constructor(port) {
    this.port = port;
    this.waiting = [];
    this.input = Buffer.alloc(0);
    this.connect();
  }

  connect() {
    this.socket = net.connect(this.port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('data', (data) => this.read(data));
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.input = Buffer.alloc(0);
      this.waiting.splice(0).forEach((asked) => asked.reject(new Error('Redis has closed the connection')));
      setTimeout(() => this.connect(), 100);
    });
  }

  ask(...words) {
    return new Promise((resolve, reject) => {
      if (this.socket.readyState !== 'open') {
        reject(new Error('Redis is not connected'));
        return;
      }
      this.waiting.push({ resolve, reject });
      const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
      this.socket.write(`*${words.length}\r\n${parts.join('')}`);
    });
  }

  /** Answers are +OK, -ERR, or $LENGTH and that many bytes; $-1 is null. */
  read(data) {
    this.input = this.input.length === 0 ? data : Buffer.concat([this.input, data]);
    for (;;) {
      const line = this.input.indexOf('\r\n');
      if (line < 0) {
        return;
      }
      let end = line + 2;
      let value = null;
      if (this.input[0] === 0x24) {
        const length = Number(this.input.toString('latin1', 1, line));
        if (length >= 0) {
          if (this.input.length < end + length + 2) {
            return;
          }
          value = this.input.toString('utf8', end, end + length);
          end += length + 2;
        }
      }
      this.input = this.input.subarray(end);
      this.waiting.shift().resolve(value);
    }
  }
}

const redis = new Redis(redisPort);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1024, noDelay: true });
let turn = 0;

function keyOf(path, asked) {
  const { model, prompt, messages, options } = asked;
  return 'llm:' + crypto.createHash('sha256').update(JSON.stringify([path, model, prompt, messages, options])).digest('hex');
}

function compute(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const port = backends[turn++ % backends.length];
    const request = http.request({ agent, host: '127.0.0.1', port, method, path, headers }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(parts).toString('utf8') }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function answer(method, path, body) {
  if (method !== 'POST') {
    return compute(method, path, body);
  }
  const asked = JSON.parse(body);
  asked.stream = false;
  const key = keyOf(path, asked);
  const kept = await redis.ask('GET', key).catch(() => null);
  if (kept !== null) {
    return { status: 200, text: kept };
  }
  const computed = await compute(method, path, JSON.stringify(asked));
  if (computed.status === 200) {
    redis.ask('SETEX', key, TTL_SECONDS, computed.text).catch(() => {});
  }
  return computed;
}

function send(response, status, text) {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    answer(request.method, request.url, Buffer.concat(parts).toString('utf8')).then(
      ({ status, text }) => send(response, status, text),
      (error) => send(response, 502, JSON.stringify({ error: error.message })),
    );
  });
});
server.keepAliveTimeout = 3600 * 1000;
server.requestTimeout = 0;
server.listen(listen, '127.0.0.1', 4096);
