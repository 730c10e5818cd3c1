// A chat for a page, with the AI SDK's hook. npm install ai@6.0.326 @ai-sdk/react@3.0.328 react@19.3.1 react-dom@19.3.1
//
//   import { createElement } from 'react';
//   import { createRoot } from 'react-dom/client';
//   import { Chat } from './ai-sdk.mjs';
//
//   createRoot(document.getElementById('chat')).render(
//     createElement(Chat, { site: 'https://chat.example.com', siteKey: 'pk-site_YOUR-SITE-KEY' }));
//
// What other components of the AI SDK's, or assistant-ui, need of it is `banter`'s transport.

import { useChat } from '@ai-sdk/react';
import { DefaultChatTransport } from 'ai';
import { createElement, useEffect, useMemo, useState } from 'react';
import { visitorFetch } from './visitor.js';

export function banter(site, siteKey) {
	const ask = visitorFetch(siteKey);
	const conversations = site + '/v1/chat/conversations';

	async function read(address) {
		const reply = await ask(address);

		return reply.ok ? reply.json() : {};
	}

	return {
		transport: new DefaultChatTransport({ api: site + '/v1/ui', fetch: ask }),
		// What was said in the chat of that id, as the AI SDK has it; an answer that is still to come is left out.
		async history(id) {
			const { conversations: all = [] } = await read(conversations);
			const conversation = all.find(one => one.sessionId === id);
			const { messages = [] } = conversation ? await read(`${conversations}/${conversation.id}/messages`) : {};

			return messages.filter(one => one.text).map(one => ({
				id: one.id, role: one.role, parts: [{ type: 'text', text: one.text }],
			}));
		},
		// The answer ends for everybody, and what came of it is kept.
		stop: conversation => ask(`${conversations}/${conversation}/stop`, { method: 'POST' }),
	};
}

const textOf = message => message.parts.map(part => (part.type === 'text' ? part.text : '')).join('');

export function Chat({ site, siteKey, id = 'main' }) {
	const server = useMemo(() => banter(site, siteKey), [site, siteKey]);
	const { messages, setMessages, sendMessage, regenerate, resumeStream, status, error } =
		useChat({ id, transport: server.transport });
	const [ready, setReady] = useState(false);
	const [text, setText] = useState('');
	const busy = status === 'submitted' || status === 'streaming';
	const last = messages.at(-1);

	async function begin(gone) {
		const before = await server.history(id).catch(() => []);

		if (gone.aborted)
			return;
		setMessages(before);
		await resumeStream();
		setReady(true);
	}

	useEffect(() => {
		const leave = new AbortController();

		begin(leave.signal);
		return () => leave.abort();
	}, [server, id]);

	function submit(event) {
		event.preventDefault();
		sendMessage({ text });
		setText('');
	}

	return createElement('form', { onSubmit: submit },
		messages.map(message => createElement('p', { key: message.id, className: message.role }, textOf(message))),
		error && createElement('p', { role: 'alert' }, error.message),
		createElement('input', { value: text, required: true, onChange: event => setText(event.target.value) }),
		createElement('button', { disabled: busy || !ready }, 'Send'),
		status === 'streaming' && createElement(
			'button', { type: 'button', onClick: () => server.stop(last.metadata.conversationId) }, 'Stop'),
		!busy && last?.role === 'assistant' && createElement(
			'button', { type: 'button', onClick: () => regenerate() }, 'Again'));
}
