// The chatbot API's stream read with npm's @microsoft/fetch-event-source: prints every event's data, one a line.
//   node fetch_event_source.mjs MODULES URL KEY MESSAGE      MODULES: the folder node_modules

import { createRequire } from 'node:module';

const [modules, url, key, message] = process.argv.slice(2);

// What it wants of a browser's page.
globalThis.window = globalThis;
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };

const { fetchEventSource } = createRequire(modules + '/')('@microsoft/fetch-event-source');

await fetchEventSource(url, {
	method: 'POST',
	headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` },
	body: JSON.stringify({ message, stream: true }),
	onmessage(event) {
		if (event.data) // it tells comments, our heartbeats, as events without data
			console.log(event.data);
	},
	onerror(error) {
		throw error; // else it would send the message again
	}
});
