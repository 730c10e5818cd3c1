// Banter's chat, all of it in the shadow root of one element. It talks through api.js.
import * as talk from './api.js';
import { render } from './markdown.js';

const LONGEST = 4000;
const LANGUAGES = 'en de es fr pt it nl pl tr ar ja zh'.split(' ');
const THUMB = 'M7 20H4v-9h3m0 9v-9l4-7c2 0 3 2 2 6h6l-1 8-2 2z';
const ICONS = {
	launcher: 'M4 5h16v11H11l-5 4v-4H4z',
	close: 'M6 6l12 12M18 6L6 18',
	menu: 'M5 12h.01M12 12h.01M19 12h.01',
	send: 'M12 19V5M6 11l6-6 6 6',
	stop: 'M7 7h10v10H7z',
	down: 'M12 5v14M6 13l6 6 6-6',
	again: 'M19 12a7 7 0 1 1-2-5M19 4v4h-4',
	'thumb-up': THUMB,
	'thumb-down': THUMB,
};
const phone = matchMedia('(max-width: 480px), (max-height: 430px)');
const dark = matchMedia('(prefers-color-scheme: dark)');
const touch = matchMedia('(pointer: coarse)');
const host = document.createElement('banter-chat');
const root = host.attachShadow({ mode: 'open' });
const $ = (part, within = root) => within.querySelector(`[part=${part}]`);
const listeners = new Set();
let data, language, words, theme, messages, asking, running, unsent, waits, ticking, lost, before;
let stale = true, atEnd = true, height = 0, pace = 30, work = Promise.resolve();

function make(tag, part, properties, ...children) {
	const node = Object.assign(document.createElement(tag), properties);

	node.part = part;
	node.append(...children);
	return node;
}

function shape(tag, name, value) {
	const node = document.createElementNS('http://www.w3.org/2000/svg', tag);

	node.setAttribute(name, value);
	return node;
}

function button(part, text, onclick) {
	const node = make('button', part, { type: 'button', onclick });

	if (ICONS[part]) {
		const svg = shape('svg', 'viewBox', '0 0 24 24');

		svg.append(shape('path', 'd', ICONS[part]));
		node.append(svg);
		call(node, text);
	} else {
		node.append(text);
	}
	return node;
}

const call = (node, text) => node.ariaLabel = node.title = text;

function build() {
	const { inline, privacy: href, position = 'right' } = data;
	const { title, placeholder } = words;

	root.replaceChildren(make('div', 'box', { lang: language, dir: words.dir, onkeydown: keys, onkeypress: hush, onkeyup: hush, onclick: clicked },
		make('section', 'panel', { id: 'panel', role: inline ? 'region' : 'dialog', ariaLabel: title, hidden: !inline },
			make('header', 'header', {}, make('h2', 'title', { textContent: title }),
				button('menu', words.menu, () => toggle('choices')), button('close', words.close, close)),
			make('div', 'choices', { hidden: true }, button('menu-delete', words.erase, () => toggle('confirm'))),
			make('div', 'log', { tabIndex: 0, role: 'group', ariaLabel: title, onscroll: scrolled }),
			button('down', words.down, toEnd),
			make('div', 'status', { ariaLive: 'polite' }),
			make('div', 'notice', { role: 'alert' }),
			make('div', 'confirm', { role: 'group', ariaLabel: words.eraseAsk, hidden: true }, make('p', '', { textContent: words.eraseAsk }),
				button('confirm-yes', words.yes, erase), button('confirm-no', words.no, () => toggle('confirm'))),
			make('div', 'form', {}, make('textarea', 'input', { rows: 1, placeholder, ariaLabel: placeholder, oninput: typed }),
				button('send', words.send, submit), button('stop', words.stop, halt)),
			href ? make('a', 'privacy', { href, target: '_blank', rel: 'noopener', textContent: words.privacy }) : ''),
		button('launcher', words.open, () => $('panel').hidden ? open() : close())));
	$('launcher').setAttribute('aria-controls', 'panel');
	$('launcher').hidden = $('close').hidden = inline;
	host.dataset.position = $('box').dataset.position = inline ? 'inline' : position;
	new ResizeObserver(scrolled).observe($('log'));
	paint();
}

// The accent, what can be read on it, and what of it can be read as text.
function paint() {
	const night = theme === 'dark' || theme !== 'light' && dark.matches;
	const light = rgb => rgb.reduce((sum, one, i) => sum + [.2126, .7152, .0722][i] * (one / 255) ** 2.2, 0);
	const [hex] = /^#([\da-f]{3}){1,2}$/i.exec(data.accent) ?? ['#2b5fd9'];
	const accent = hex.replace(/^#(.)(.)(.)$/, '#$1$1$2$2$3$3').match(/\w\w/g).map(one => parseInt(one, 16));
	let ink = accent;

	while (night ? light(ink) < .24 : light(ink) > .17)
		ink = ink.map(one => one * .9 + 26 * night);
	$('box').dataset.theme = night ? 'dark' : 'light';
	for (const [use, rgb] of Object.entries({ accent, ink, on: Array(3).fill(light(accent) < .18 ? 255 : 0) }))
		$('box').style.setProperty('--' + use, `rgb(${rgb})`);
}

// Also into a body that has replaced the page's.
function place() {
	const home = data.inline ? document.querySelector(data.inline) : document.body;

	if (home && !host.isConnected) {
		home.append(host);
		toEnd();
	}
}

function show(all) {
	const { scrollTop } = $('log'), stays = !atEnd;

	messages = [];
	$('log').replaceChildren(make('div', 'welcome', { dir: 'auto', textContent: words.welcome }),
		make('div', 'suggestions', {}, ...data.suggestions?.split('|').map(text => button('suggestion', text.trim(), () => ask(text.trim()))) ?? []));
	all.forEach(add);
	toEnd();
	if (stays)
		$('log').scrollTop = scrollTop;
	update();
}

function add(message) {
	const user = message.role === 'user';
	const node = message.node = make('article', 'message', { ariaLabel: words[user ? 'you' : 'bot'] }, make('div', 'text', { dir: 'auto' }),
		user ? '' : make('div', 'tools', {}, make('span', 'state'), button('thumb-up', words.good, () => rate(message, 'up')),
			button('thumb-down', words.bad, () => rate(message, 'down')), button('again', words.again, () => again(message))));

	node.dataset.role = message.role;
	messages.push(message);
	$('log').append(node);
	draw(message);
}

function draw(message) {
	const { node, role, text, status = 'done', thumb } = message;

	node.dataset.status = status;
	if (role === 'user')
		return $('text', node).textContent = text;
	render(text, $('text', node), words.copy);
	$('state', node).textContent = { running: words.thinking, done: '' }[status] ?? words[status];
	for (const one of ['up', 'down'])
		$('thumb-' + one, node).ariaPressed = one === thumb;
	call($('again', node), words[status === 'done' ? 'again' : 'retry']);
	say(message);
	follow(message);
}

// A screen reader says each paragraph once it is whole.
function say(message) {
	const { status, node } = message, blocks = $('text', node).children;
	const one = text => $('status').append(make('p', '', { textContent: text }));
	const ended = status !== 'running';

	while (message.said < blocks.length - !ended)
		one(blocks[message.said++].textContent);
	if (ended && message.said >= 0) {
		one(words[status === 'done' ? 'ready' : status]);
		delete message.said;
	}
}

// Its end stays in view, until its beginning would leave it.
function follow(message) {
	const log = $('log'), begin = message.node.offsetTop - 12;

	if (atEnd && (message.held || log.scrollHeight - log.clientHeight <= begin))
		toEnd();
	else if (atEnd) {
		message.held = true;
		log.scrollTop = begin;
	}
	scrolled();
}

function toEnd() {
	$('log').scrollTop = $('log').scrollHeight;
	scrolled();
}

function scrolled() {
	const { scrollHeight, scrollTop, clientHeight } = $('log'), resized = clientHeight !== height;

	height = clientHeight;
	if (resized && atEnd)
		return toEnd();
	$('down').hidden = atEnd = scrollHeight - scrollTop - clientHeight < 8;
}

// One behind the other: reading, and questions with their answers.
function queue(job) {
	const done = work.then(job, job);

	work = done.catch(refuse);
	return done;
}

function load() {
	stale = true;
	return $('panel').hidden || queue(async () => {
		const all = await talk.load();

		stale = false;
		all.forEach((one, i) => {
			one.question = all[i - 1]?.text;
			one.thumb = one.feedback?.thumb;
			if (one.status === 'left')
				one.status = 'stopped';
		});
		// It came after all.
		if (unsent && all.at(-1)?.question === unsent.question && all.at(-1).id !== unsent.last) {
			if ($('input').value.trim() === unsent.question)
				$('input').value = '';
			unsent = null;
		}
		// A question that was asked again is shown once.
		show(all.filter((one, i) => all[i | 1].status === 'done' || all[(i | 1) + 1]?.text !== all[i & ~1].text));
		const now = messages.find(one => one.status === 'running');

		if (now) {
			now.said = 0;
			await hear(now, talk.hear).catch(() => {
				setTimeout(load, 5000);
			});
		}
	});
}

function ask(text, key = crypto.getRandomValues(new Uint32Array(4)).join('-')) {
	const answer = { role: 'assistant', text: '', status: 'running', said: 0, question: text, key, last: messages.at(-1)?.id };
	const pair = [{ role: 'user', text }, answer];
	const shown = () => {
		pair.forEach(add);
		toEnd();
	};

	asking = true;
	note();
	$('status').replaceChildren();
	shown();
	update();
	tell('message', { role: 'user', text });
	return queue(async () => {
		asking = false;
		if (!messages.includes(answer))
			shown();
		await hear(answer, talk.ask).catch(problem => {
			// Not awaited: it is the next in the queue.
			if (answer.id || answer.left)
				return void load();
			drop(pair);
			$('input').value = (text + '\n' + $('input').value).trim();
			// It may have come all the same: what is sent again is the same request.
			unsent = answer;
			typed();
			throw problem;
		});
		return answer;
	});
}

async function hear(answer, how) {
	running = answer;
	update();
	try {
		await how(answer);
	} finally {
		running = null;
		redraw(answer);
		update();
	}
	if (answer.status === 'failed')
		tell('error', { status: 200, text: words.failed });
	else if (!answer.left)
		tell('message', { role: 'assistant', text: answer.text });
}

const redraw = answer => messages.includes(answer) && draw(answer);

// The longer it takes to show, the rarer.
function heard(answer) {
	if (lost !== (lost = answer.lost))
		note(lost && 'cut');
	answer.drawing ??= setTimeout(() => {
		const begun = Date.now();

		answer.drawing = null;
		redraw(answer);
		pace = 30 + 4 * (Date.now() - begun);
	}, pace);
}

function drop(some) {
	messages = messages.filter(one => !some.includes(one));
	for (const { node } of some)
		node.remove();
}

function again({ status, question, key }) {
	if (asking || running)
		return;
	if (status !== 'done')
		drop(messages.slice(-2));
	ask(question, status === 'done' ? undefined : key);
	focus();
}

function rate(answer, thumb) {
	const { thumb: old = null } = answer;
	const set = value => {
		answer.thumb = value;
		draw(answer);
	};

	set(old === thumb ? null : thumb);
	talk.rate(answer).catch(problem => {
		set(old);
		refuse(problem);
	});
}

function halt() {
	const answer = running;

	if (!answer || answer.stopping)
		return;
	answer.stopping = true;
	update();
	talk.stop(answer).catch(problem => {
		answer.stopping = false;
		refuse(problem);
	});
}

function erase() {
	toggle('confirm');
	talk.leave();
	queue(async () => {
		await talk.erase();
		show([]);
		focus();
	}).catch(load);
}

function note(word, number) {
	clearTimeout(ticking);
	waits = word === 'wait';
	$('notice').ariaLive = null;
	$('notice').textContent = word ? words[word].replace('{n}', number) : '';
}

function refuse({ status = 0, wait, gone, message: text }) {
	if (gone)
		return;
	console.warn('Banter:', status, text);
	tell('error', { status, text });
	if (wait)
		hold(Date.now() + wait * 1000);
	else
		note({ 0: navigator.onLine ? 'failed' : 'offline', 413: 'tooLong', 401: 'notHere', 403: 'notHere' }[status] ?? 'unavailable', LONGEST);
}

// Counts down; only its beginning is read out.
function hold(until) {
	const left = Math.ceil((until - Date.now()) / 1000);
	const [unit, size] = left > 5400 ? ['hour', 3600] : left > 90 ? ['minute', 60] : ['second', 1];
	const first = !waits;

	note(left > 0 && 'wait', new Intl.RelativeTimeFormat(language).format(Math.ceil(left / size), unit));
	$('notice').ariaLive = first ? null : 'off';
	update();
	if (waits)
		ticking = setTimeout(hold, 1000, until);
	else
		load();
}

function update() {
	const open = !$('panel').hidden, text = $('input').value, focused = root.activeElement;

	$('box').dataset.open = $('launcher').ariaExpanded = open;
	call($('launcher'), words[open ? 'close' : 'open']);
	$('launcher').querySelector('path').setAttribute('d', ICONS[open ? 'close' : 'launcher']);
	$('panel').ariaModal = !data.inline && phone.matches || null;
	$('suggestions').hidden = messages.length;
	$('menu').hidden = !messages.length;
	$('stop').hidden = !($('send').hidden = asking || running);
	$('stop').ariaDisabled = running?.stopping;
	$('send').disabled = waits || !text.trim() || long(text);
	if (focused && !focused.getClientRects().length)
		focus();
}

// In characters, as Banter counts them.
const long = text => [...text].length > LONGEST;

// A phone's keyboard comes when it is wanted.
const focus = () => $(touch.matches ? 'log' : 'input').focus();

function typed() {
	const { style, value } = $('input');

	$('input').dir = value && 'auto';
	style.height = 'auto';
	style.height = $('input').scrollHeight + 'px';
	if (long(value))
		note('tooLong', LONGEST);
	else if ($('send').disabled && !waits)
		note();
	update();
}

function submit() {
	const text = $('input').value.trim();

	if ($('send').disabled || asking || running)
		return;
	$('input').value = '';
	ask(text, unsent?.question === text ? unsent.key : undefined);
	typed();
}

function toggle(part) {
	const shown = $(part).hidden, menu = part === 'choices';

	$('choices').hidden = $('confirm').hidden = true;
	$(part).hidden = !shown;
	$('menu').ariaExpanded = menu && shown;
	$(!shown ? 'menu' : menu ? 'menu-delete' : 'confirm-no').focus();
}

// A page's shortcuts are not for what is typed here.
const hush = event => event.stopPropagation();

function keys(event) {
	const { key, shiftKey, isComposing, keyCode, target } = event;

	hush(event);
	if (isComposing || keyCode === 229)
		return;
	if (key === 'Enter' && !shiftKey && target === $('input')) {
		event.preventDefault();
		submit();
	}
	if (key === 'Escape') {
		const front = ['choices', 'confirm'].find(part => !$(part).hidden);

		(front ? toggle : close)(front);
	}
	if (key === 'Tab' && $('panel').ariaModal === 'true') {
		const all = [...$('panel').querySelectorAll('button, textarea, a, [tabindex]')].filter(one => !one.disabled && one.getClientRects().length);
		const [end, other] = shiftKey ? [0, -1] : [-1, 0];

		if (target === all.at(end)) {
			event.preventDefault();
			all.at(other).focus();
		}
	}
}

function clicked({ target }) {
	if (!target.closest('[part=choices], [part=menu]'))
		$('choices').hidden = true;
	if (target.part.value === 'copy')
		copy(target.nextSibling).then(() => {
			target.textContent = words.copied;
			setTimeout(() => target.textContent = words.copy, 2000);
		});
}

async function copy(node) {
	try {
		await navigator.clipboard.writeText(node.textContent);
	} catch {
		// Without TLS there is but the old way.
		getSelection().selectAllChildren(node);
		document.execCommand('copy');
	}
}

// Above the keyboard of a phone.
function fit() {
	const { height, offsetTop, scale } = visualViewport, { style } = $('box');

	if (scale === 1) {
		style.setProperty('--height', height + 'px');
		style.setProperty('--top', offsetTop + 'px');
	}
}

function open(quietly) {
	if ($('panel').hidden) {
		before = root.activeElement ?? document.activeElement;
		$('panel').hidden = false;
		talk.keep('sessionStorage', 'open');
		update();
		if (stale)
			load();
		tell('open');
	}
	if (quietly !== true)
		focus();
}

function close() {
	const inside = $('panel').contains(root.activeElement);

	if (data.inline || $('panel').hidden)
		return;
	$('panel').hidden = true;
	talk.keep('sessionStorage');
	update();
	if (inside)
		(before.isConnected && before !== document.body ? before : $('launcher')).focus();
	tell('close');
}

function tell(event, detail) {
	for (const [name, listener] of listeners)
		if (name === event)
			queueMicrotask(() => listener(detail));
}

const Banter = {
	open,
	close,
	async send(text) {
		open();
		const answer = await ask(text);

		if (answer.status === 'failed')
			throw new Error(words.failed);
		return answer.text;
	},
	on(...one) {
		listeners.add(one);
		return () => listeners.delete(one);
	},
	identify(identity) {
		talk.leave();
		talk.identify(identity);
		show([]);
		return load();
	},
	theme(name) {
		theme = name;
		paint();
	},
	texts(own) {
		const { hidden } = $('panel'), { value } = $('input');

		Object.assign(words, own);
		build();
		$('panel').hidden = hidden;
		$('input').value = value;
		show(messages);
	},
};

export async function start(tag) {
	const spoken = (code = '') => LANGUAGES.find(one => one === code.slice(0, 2).toLowerCase());
	const sheet = new CSSStyleSheet();
	const style = await fetch(new URL('widget.css', import.meta.url));

	await sheet.replace(await style.text());
	root.adoptedStyleSheets = [sheet];
	if (document.readyState === 'loading')
		await new Promise(resolve => addEventListener('DOMContentLoaded', resolve));
	data = tag;
	theme = data.theme;
	language = (data.language ?? [document.documentElement.lang, ...navigator.languages].find(spoken) ?? 'en').replace('_', '-');
	words = { ...(await import(`./words-${spoken(language) ?? 'en'}.js`)).default };
	words.title = data.name ?? words.title;
	words.welcome = data.welcome ?? words.welcome;
	// A tab that nobody sees asks nothing until it is seen.
	talk.begin(data, heard, () => document.hidden ? stale = true : load());
	document.addEventListener('visibilitychange', () => document.hidden || stale && load());
	build();
	show([]);
	place();
	new MutationObserver(() => host.isConnected || requestAnimationFrame(place))
		.observe(document.documentElement, { childList: true, subtree: true });
	dark.onchange = paint;
	phone.onchange = update;
	addEventListener('online', load);
	addEventListener('pageshow', ({ persisted }) => persisted && load());
	for (const event of ['resize', 'scroll'])
		visualViewport.addEventListener(event, fit);
	if (data.inline)
		load();
	else if ('open' in data || talk.kept('sessionStorage'))
		open(true);
	setTimeout(tell, 0, 'ready');
	return Banter;
}
