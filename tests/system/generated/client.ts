// A program of somebody's who has nothing of Banter but its description, from which ./banter was made.
//   node client.js URL WIDGET_KEY WORKSPACE_KEY CHATBOT
// Prints what came as one JSON object.

import createClient from 'openapi-fetch';
import type { components, paths } from './banter.js';

type Event = components['schemas']['HeadlessEvent'];

const [url, widgetKey, workspaceKey, chatbot] = process.argv.slice(2) as [string, string, string, string];
const client = createClient<paths>({ baseUrl: url });
const widget = { headers: { 'x-api-key': widgetKey } };
const workspace = { headers: { Authorization: `Bearer ${workspaceKey}` } };
const body = { sessionId: 'generated', message: 'Hello' };

async function whole() {
	const { data } = await client.POST('/v1/chat', { ...widget, body });

	return data?.message;
}

async function streamed() {
	const { data } = await client.POST('/v1/chat/stream', { ...widget, body, parseAs: 'stream' });
	const text = await new Response(data as unknown as ReadableStream).text();
	const events = text.split('\n').filter(Boolean).map((line): Event => JSON.parse(line));

	return events.map(event => (event.type === 'token' ? event.token : event.type === 'done' ? event.message : event.type));
}

async function list() {
	const { data } = await client.GET('/api/v1/chatbots/{chatbot}/conversations', { ...workspace, params: { path: { chatbot } } });
	const conversation = data!.data.conversations[0]!;
	const messages = await client.GET('/api/v1/chatbots/{chatbot}/conversations/{conversation}/messages', {
		...workspace,
		params: { path: { chatbot, conversation: conversation.id } },
	});

	return {
		session: conversation.sessionId,
		messages: messages.data!.data.messages.map(one => (one.role === 'assistant' ? one.status : one.text)),
	};
}

async function refusals() {
	const wrong = await client.POST('/v1/chat', { headers: { 'x-api-key': 'none' }, body });
	const lost = await client.POST('/api/v1/chatbots/{chatbot}/chat', {
		...workspace,
		params: { path: { chatbot: 'none' } },
		body: { message: 'Hello', stream: false },
	});
	const code: components['schemas']['ChatbotError']['code'] | undefined = lost.error?.code;

	return [wrong.response.status, wrong.error?.error, lost.response.status, code];
}

console.log(JSON.stringify({ whole: await whole(), streamed: await streamed(), list: await list(), refusals: await refusals() }));
