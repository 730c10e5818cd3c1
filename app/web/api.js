// One visitor's conversation, by Banter's contract (P, R, U, L, I).
const TALKS = '/v1/chat/conversations';
const memory = {};
export let users = 0;
let key, session, name, told, others, identity, proof, conversation, current, leaving, timer, wake;

export function begin(data, hears, changed) {
	({ key, session = 'main' } = data);
	told = hears;
	name = 'banter ' + key;
	try {
		others = new BroadcastChannel(name);
		others.onmessage = changed;
	} catch {}
	addEventListener('online', () => wake?.());
}

const tellOthers = () => others?.postMessage('changed');

// In localStorage the token, in sessionStorage whether the chat is open; in memory where neither is allowed.
export function kept(area) {
	try {
		return window[area][name] || memory[area];
	} catch {
		return memory[area];
	}
}

export function keep(area, value = '') {
	memory[area] = value;
	try {
		window[area][name] = value;
	} catch {}
}

export function identify(value) {
	identity = value;
	proof = null;
	users++;
}

// What was asked as somebody else is nobody's any more.
function check(by) {
	if (by !== users)
		throw { gone: true };
}

async function request(method, path, body, more, signal = AbortSignal.timeout(40000)) {
	const by = users;

	for (let again = false; ; again = true) {
		const said = proof ?? await (identity?.call ? identity() : identity);

		check(by);
		proof = said;
		const token = kept('localStorage');
		const reply = await fetch(new URL('../..' + path, import.meta.url), {
			method, signal, body: body && JSON.stringify(body),
			headers: { 'x-api-key': key, ...token && { 'X-Visitor-Token': token }, ...proof && { 'X-Visitor-Identity': proof }, ...more },
		});
		const { status, ok, headers } = reply, fresh = headers.get('X-Visitor-Token');

		check(by);
		if (fresh)
			keep('localStorage', fresh);
		if (ok)
			return reply;
		const text = await reply.text();

		if (again || !text.includes('Unknown visitor'))
			throw Object.assign(new Error(text.slice(0, 99)), { status, wait: +headers.get('Retry-After') });
		if (!proof)
			keep('localStorage');
		proof = null;
	}
}

const read = async path => (await request('GET', TALKS + path)).json();

export async function load() {
	conversation = null;
	if (!identity && !kept('localStorage'))
		return [];
	const { conversations } = await read('').catch(problem => {
		if (proof || kept('localStorage') || problem.status !== 401)
			throw problem;
		return { conversations: [] };
	});

	conversation = conversations.find(one => one.sessionId === session)?.id;
	return conversation ? (await read(`/${conversation}/messages`)).messages : [];
}

// Heartbeats come every 15 s.
function listen(seconds = 40) {
	clearTimeout(timer);
	timer = setTimeout(() => leaving.abort(), seconds * 1000);
}

function stream(method, path, body, more, seconds) {
	leaving = new AbortController();
	listen(seconds);
	return request(method, path, body, more, leaving.signal);
}

// Server-sent events, or JSON lines.
async function* events(reply) {
	const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
	let rest = '';

	for (let part; listen(), !(part = await reader.read()).done;) {
		const lines = (rest + part.value).split('\n');

		rest = lines.pop();
		for (const line of lines)
			if (/^(data: )?{/.test(line))
				yield JSON.parse(line.replace(/^data: /, ''));
	}
}

function take(answer, { type, messageId, messageMetadata, message, delta, token = '' }) {
	const { stopping, asked, text } = answer;

	answer.lost = false;
	answer.text = message ?? text + (delta ?? token);
	answer.status = {
		finish: 'done', abort: 'stopped', done: stopping ? 'stopped' : 'done', error: stopping ? 'stopped' : 'failed',
	}[type] ?? 'running';
	if (type === 'start') {
		answer.id = messageId;
		conversation = messageMetadata?.conversationId ?? conversation;
		if (asked)
			tellOthers();
		if (stopping)
			stop(answer).catch(() => answer.stopping = false);
	}
	told(answer);
}

// To its end: a stream that breaks is picked up again.
export async function hear(answer, reply) {
	current = answer;
	for (let wait = 1; !answer.left; wait = Math.min(2 * wait, 30)) {
		try {
			reply ??= await stream('GET', `${TALKS}/${conversation}/stream?message=${answer.id}&after=${new Blob([answer.text]).size}`);
			for await (const event of events(reply)) {
				// Perhaps it is the listener's own worker that ended.
				if (event.type === 'error' && !answer.asked && wait < 4)
					break;
				take(answer, event);
				if (answer.status !== 'running')
					return;
				if (event.type !== 'start')
					wait = 1;
			}
		} catch (problem) {
			if (problem.status < 429)
				throw problem;
			wait = Math.max(wait, problem.wait || 0);
		}
		if (answer.left)
			return;
		if (!answer.id)
			throw new Error('no answer');
		reply = answer.asked = null;
		answer.lost = true;
		told(answer);
		await new Promise(resolve => {
			wake = resolve;
			setTimeout(resolve, wait * 1000);
		});
	}
}

export async function ask(answer) {
	check(answer.by);
	current = answer;
	answer.asked = true;
	// Some web servers hold an answer back until it is whole.
	const reply = await stream('POST', '/v1/ui', { id: session, messages: [{ role: 'user', content: answer.question }] },
		{ 'Idempotency-Key': answer.key }, 120);

	return hear(answer, reply);
}

export function leave() {
	if (current)
		current.left = true;
	leaving?.abort();
	wake?.();
}

const post = (method, path, body) => request(method, `${TALKS}/${conversation}${path}`, body);

// One whose beginning was not heard, as where streams arrive whole, is stopped with all that runs.
export const stop = async ({ id }) => conversation && post('POST', '/stop', id && { messageId: id });

export const rate = ({ id, feedback }) => post('POST', `/messages/${id}/feedback`, feedback);

export async function erase() {
	await post('DELETE', '');
	tellOthers();
}
