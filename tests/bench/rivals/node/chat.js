// The headless API's stream in Node: Express, pg, fetch. One process would leave a core idle, so there is one a core, by
// Node's own cluster behind one socket, as process managers do it. DATABASE, MODEL_URL and LISTEN are in the environment.
import cluster from 'node:cluster';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import os from 'node:os';
import express from 'express';
import pg from 'pg';

const database = new pg.Pool({ connectionString: process.env.DATABASE });

async function query(name, text, values) {
	return (await database.query({ name, text, values })).rows; // named: prepared once a connection
}

async function history(conversation, exchange) {
	const rows = await query('history', `select question, answer from exchange
		where conversation = $1 and id < $2 and answer is not null order by id desc limit 10`, [conversation, exchange]);
	return rows.reverse().flatMap(({ question, answer }) => [
		{ role: 'user', content: question },
		{ role: 'assistant', content: answer },
	]);
}

// The model's tokens, as they come.
async function* ask(messages, signal) {
	const reply = await fetch(`${process.env.MODEL_URL}/chat/completions`, {
		method: 'POST',
		headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify({ model: 'bench', stream: true, messages }),
		signal,
	});
	if (!reply.ok) throw new Error(`the model says ${reply.status}`);
	const decoder = new TextDecoder();
	let rest = '';
	for await (const bytes of reply.body) {
		const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
		rest = lines.pop();
		for (const line of lines) {
			if (!line.startsWith('data: ')) continue;
			if (line.trimEnd() === 'data: [DONE]') return;
			const token = JSON.parse(line.slice(6)).choices[0]?.delta?.content;
			if (token) yield token;
		}
	}
	throw new Error('the answer was cut');
}

async function chat(request, response) {
	const hash = createHash('sha256').update(request.get('x-api-key') ?? '').digest('hex');
	const [key] = await query('key', 'select chatbot from api_key where hash = $1 and active', [hash]);
	if (!key) return response.status(401).json({ error: 'Unauthorized' });
	const { sessionId, message } = request.body ?? {};
	if (typeof sessionId !== 'string' || !/^[A-Za-z0-9._:-]{1,128}$/.test(sessionId) || typeof message !== 'string' ||
			!message || [...message].length > 4000) {
		return response.status(400).json({ error: 'Invalid request payload' });
	}
	const [{ id, conversation }] = await query('begin', `with entered as (
			insert into conversation (chatbot, session) values ($1, $2)
			on conflict (chatbot, session) do update set updated_at = now() returning id)
		insert into exchange (conversation, question) select id, $3 from entered returning id, conversation`,
		[key.chatbot, sessionId, message]);
	const messages = [
		{ role: 'system', content: 'You are a helpful assistant.' },
		...await history(conversation, id),
		{ role: 'user', content: message },
	];

	const left = new AbortController();
	response.on('close', () => left.abort());
	response.set({
		'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store, no-transform', 'X-Accel-Buffering': 'no',
	});
	const send = async (event) => {
		if (!response.write(`${JSON.stringify(event)}\n`)) await once(response, 'drain', { signal: left.signal });
	};
	await send({ type: 'start', conversationId: conversation });
	let answer = '';
	try {
		for await (const token of ask(messages, left.signal)) {
			answer += token;
			await send({ type: 'token', token });
		}
	} catch {
		if (!left.signal.aborted) return response.end(`${JSON.stringify({ type: 'error', error: 'Internal server error' })}\n`);
	}
	await query('end', 'update exchange set answer = $1, answered_at = now() where id = $2', [answer, id]);
	response.end(`${JSON.stringify({ type: 'done', message: answer, conversationId: conversation })}\n`);
}

if (cluster.isPrimary) {
	os.cpus().forEach(() => cluster.fork());
	process.on('SIGTERM', () => process.exit()); // the others end with it
} else {
	const app = express();
	app.disable('x-powered-by');
	app.use(express.json({ limit: '64kb' }));
	app.post('/v1/chat/stream', chat);
	app.use((error, request, response, next) => {
		if (response.headersSent) return next(error);
		response.status(error.status ?? 500).json({ error: error.status ? 'Invalid request payload' : 'Internal server error' });
	});
	app.listen({ path: process.env.LISTEN, backlog: 4096 });
}
