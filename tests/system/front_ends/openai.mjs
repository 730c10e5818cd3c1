// OpenAI's protocol, spoken by the libraries that sites have in their programs, with nothing changed but address and key.
//   node openai.mjs MODULES LIBRARY URL KEY MODEL MESSAGE [CONVERSATION]      MODULES: the folder node_modules
// Prints what came as one JSON object: {"streamed", "pieces", "whole", "reason", "usage", "models", "error"}.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, library, url, key, model, message, conversation] = process.argv.slice(2);
const find = createRequire(modules + '/');
const load = name => import(pathToFileURL(find.resolve(name)));
const headers = conversation ? { 'X-Conversation-Id': conversation } : {};
const messages = [{ role: 'user', content: message }];
const said = { pieces: 0, streamed: '' };

async function openai() {
	const { default: OpenAI } = await load('openai');
	const client = new OpenAI({ baseURL: url + '/v1', apiKey: key, defaultHeaders: headers, maxRetries: 0 });
	const stream = await client.chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } });

	for await (const chunk of stream) {
		const [choice] = chunk.choices;

		said.streamed += choice?.delta?.content ?? '';
		said.pieces += choice?.delta?.content ? 1 : 0;
		said.reason = choice?.finish_reason ?? said.reason;
		said.usage = chunk.usage ?? said.usage;
	}
	if (!conversation) {
		const whole = await client.chat.completions.create({ model, messages });

		said.whole = whole.choices[0].message.content;
		said.models = (await client.models.list()).data.map(one => one.id);
	}
}

async function vercel() {
	const { createOpenAICompatible } = await load('@ai-sdk/openai-compatible');
	const { generateText, streamText } = await load('ai');
	const provider = createOpenAICompatible({ name: 'banter', baseURL: url + '/v1', apiKey: key, headers, includeUsage: true });
	let failed;
	const stream = streamText({ model: provider(model), messages, maxRetries: 0, onError: ({ error }) => (failed = error) });

	for await (const piece of stream.textStream) {
		said.streamed += piece;
		said.pieces++;
	}
	if (failed)
		throw failed;
	said.reason = await stream.finishReason;
	said.usage = await stream.usage;
	if (!conversation)
		said.whole = (await generateText({ model: provider(model), messages, maxRetries: 0 })).text;
}

try {
	await { openai, vercel }[library]();
} catch (error) {
	said.error = { name: error.constructor.name, status: error.status ?? error.statusCode ?? null, message: error.message };
}
console.log(JSON.stringify(said));
