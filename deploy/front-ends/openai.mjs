// OpenAI's library from a back end: asks, and writes the answer as it comes. npm install openai@6.49.0
//   BANTER_URL=https://chat.example.com BANTER_KEY=sk-workspace_… BANTER_CHATBOT=Support node openai.mjs CONVERSATION QUESTION

import OpenAI from 'openai';

const { BANTER_URL, BANTER_KEY, BANTER_CHATBOT } = process.env;
const [conversation, question] = process.argv.slice(2);
const client = new OpenAI({
	baseURL: BANTER_URL + '/v1',
	apiKey: BANTER_KEY,
	// Banter then keeps the conversation. Without it, what is sent is what the model sees.
	defaultHeaders: { 'X-Conversation-Id': conversation },
});

try {
	const stream = await client.chat.completions.create({
		model: BANTER_CHATBOT,
		messages: [{ role: 'user', content: question }],
		stream: true,
	});

	for await (const chunk of stream)
		process.stdout.write(chunk.choices[0]?.delta.content ?? '');
	process.stdout.write('\n');
} catch (error) {
	console.error(error.message);
	process.exitCode = 1;
}
