// The chatbot API's stream read with npm's eventsource-parser: prints every event's data, one a line.
//   node eventsource_parser.mjs MODULES URL KEY MESSAGE      MODULES: the folder node_modules

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, url, key, message] = process.argv.slice(2);
const find = createRequire(modules + '/');
const { EventSourceParserStream } = await import(pathToFileURL(find.resolve('eventsource-parser/stream')));

const response = await fetch(url, {
	method: 'POST',
	headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` },
	body: JSON.stringify({ message, stream: true })
});

const events = response.body
	.pipeThrough(new TextDecoderStream())
	.pipeThrough(new EventSourceParserStream());

for await (const event of events)
	console.log(event.data);
