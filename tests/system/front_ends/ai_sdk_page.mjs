// The example of deploy/front-ends/ai-sdk.mjs, as it stands, in a document; and somebody who uses it.
//   node ai_sdk_page.mjs EXAMPLE <CONFIG      EXAMPLE: a copy of it, beside the folder node_modules
// CONFIG, JSON: {"site", "siteKey", "origin", "stored": {…}, "steps": [{"say": TEXT}, {"press": WORDS}, {"see": TEXT}, {"load": true},
//   {"post": {"url", "body"}}]}
// Prints one JSON object: {"said": [[WHO, TEXT]], "stored": {…}}.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [example] = process.argv.slice(2);
const config = JSON.parse(readFileSync(0));
const find = createRequire(example);
const load = name => import(pathToFileURL(find.resolve(name)));
const { Window } = await load('happy-dom');
const window = new Window({ url: config.origin });
const { document, localStorage, navigator } = window;
const { fetch } = globalThis;

for (const [name, value] of Object.entries({ window, document, localStorage, navigator }))
	Object.defineProperty(globalThis, name, { value });
// As a browser does, which gives a page's origin away.
window.fetch = (address, options = {}) => {
	const headers = new Headers(options.headers);

	headers.set('Origin', config.origin);
	return fetch(address, { ...options, headers });
};
for (const [name, value] of Object.entries(config.stored ?? {}))
	localStorage.setItem(name, value);

const { createElement } = await load('react');
const { createRoot } = await load('react-dom/client');
const { Chat } = await import(pathToFileURL(example));
const shown = document.body.appendChild(document.createElement('div'));
let root;

const texts = () => [...shown.querySelectorAll('p')].map(one => [one.className || one.getAttribute('role'), one.textContent]);
const button = words => [...shown.querySelectorAll('button')].find(one => one.textContent === words);

async function until(what) {
	for (let tries = 0; !what(); tries++) {
		if (tries === 6000)
			throw new Error('it did not come: ' + JSON.stringify(texts()));
		await new Promise(wake => setTimeout(wake, 5));
	}
}

async function open() {
	root?.unmount();
	root = createRoot(shown);
	root.render(createElement(Chat, { site: config.site, siteKey: config.siteKey }));
	await until(() => button('Send'));
}

const does = {
	load: open,
	post: ({ url, body }) => fetch(url, { method: 'POST', body }),
	see: text => until(() => texts().some(([, said]) => said === text)),
	async press(words) {
		await until(() => button(words) && !button(words).disabled);
		button(words).click();
	},
	async say(text) {
		const input = shown.querySelector('input');

		Object.getOwnPropertyDescriptor(window.HTMLInputElement.prototype, 'value').set.call(input, text);
		input.dispatchEvent(new window.Event('input', { bubbles: true }));
		await until(() => input.value === text);
		await does.press('Send');
	},
};

await open();
for (const step of config.steps)
	for (const [what, with_] of Object.entries(step))
		await does[what](with_);
await until(() => !button('Stop') && !button('Send').disabled);
console.log(JSON.stringify({ said: texts(), stored: { ...localStorage } }));
root.unmount();
await window.happyDOM.close();
