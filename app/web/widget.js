// Banter's chat, all of it in the shadow root of one element. It talks through api.js.
import { ask, begin, erase, hear, identify, keep, kept, leave, load, rate, stop, users } from './api.js';
import { make, render } from './markdown.js';
import style from './widget.css' with { type: 'css' };

const LONGEST = 4000;
const THUMB = 'M7 20H4v-9h3m0 9v-9l4-7c2 0 3 2 2 6h6l-1 8-2 2z';
const ICONS = {
	launcher: 'M4 5h16v11H11l-5 4v-4H4z',
	close: 'M6 6l12 12M18 6L6 18',
	erase: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
	send: 'M12 19V5M6 11l6-6 6 6',
	stop: 'M7 7h10v10H7z',
	down: 'M12 5v14M6 13l6 6 6-6',
	again: 'M19 12a7 7 0 1 1-2-5M19 4v4h-4',
	good: THUMB,
	bad: THUMB,
};
const phone = matchMedia('(max-width: 480px), (max-height: 430px)');
const touch = matchMedia('(pointer: coarse)');
const host = document.createElement('banter-chat');
const root = host.attachShadow({ mode: 'open' });
const $ = (part, within = root) => within.querySelector(`[part=${part}]`);
const listeners = new Set();
let data, language, words, messages, asking, running, unsent, waits, ticking, lost, before;
let stale = true, atEnd = true, height = 0, pace = 30, work = Promise.resolve();

function shape(tag, name, value, ...children) {
	const node = document.createElementNS('http://www.w3.org/2000/svg', tag);

	node.setAttribute(name, value);
	node.append(...children);
	return node;
}

function button(part, onclick, text = words[part]) {
	const node = make('button', { part, type: 'button', onclick });

	if (ICONS[part]) {
		node.append(shape('svg', 'viewBox', '0 0 24 24', shape('path', 'd', ICONS[part])));
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

	root.replaceChildren(make('div', { part: 'box', lang: language, dir: words.dir, onkeydown: keys, onkeypress: hush, onkeyup: hush, onclick: clicked },
		make('section', { part: 'panel', id: 'panel', role: inline ? 'region' : 'dialog', ariaLabel: title, hidden: !inline },
			make('header', { part: 'header' }, make('h2', { part: 'title', textContent: title }),
				button('erase', toggle), button('close', close)),
			make('div', { part: 'log', tabIndex: 0, role: 'group', ariaLabel: title, onscroll: scrolled }),
			button('down', toEnd),
			make('div', { part: 'status', ariaLive: 'polite' }),
			make('div', { part: 'notice', role: 'alert' }),
			make('div', { part: 'confirm', role: 'group', ariaLabel: words.eraseAsk, hidden: true }, make('p', { textContent: words.eraseAsk }),
				button('yes', wipe), button('no', toggle)),
			make('div', { part: 'form' }, make('textarea', { part: 'input', rows: 1, placeholder, ariaLabel: placeholder, oninput: typed }),
				button('send', submit), button('stop', halt)),
			href ? make('a', { part: 'privacy', href, target: '_blank', rel: 'noopener', textContent: words.privacy }) : ''),
		button('launcher', () => $('panel').hidden ? open() : close())));
	$('launcher').setAttribute('aria-controls', 'panel');
	$('launcher').hidden = $('close').hidden = inline;
	host.dataset.position = inline ? 'inline' : position;
	new ResizeObserver(scrolled).observe($('log'));
	if (CSS.supports('color', data.accent))
		$('box').style.setProperty('--accent', data.accent);
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
	$('log').replaceChildren(make('div', { part: 'welcome', dir: 'auto', textContent: words.welcome }),
		make('div', { part: 'suggestions' }, ...data.suggestions?.split(/ *[|] */).map(text => button('suggestion', () => send(text), text)) ?? []));
	all.forEach(add);
	toEnd();
	if (stays)
		$('log').scrollTop = scrollTop;
	update();
}

function add(message) {
	const user = message.role === 'user';
	const node = message.node = make('article', { part: 'message', ariaLabel: words[user ? 'you' : 'bot'] }, make('div', { part: 'text', dir: 'auto' }),
		user ? '' : make('div', { part: 'tools' }, make('span', { part: 'state' }), button('good', () => vote(message, 'up')),
			button('bad', () => vote(message, 'down')), button('again', () => again(message))));

	node.dataset.role = message.role;
	messages.push(message);
	$('log').append(node);
	draw(message);
}

function draw(message) {
	const { node, role, text, status = 'done', feedback } = message;

	node.dataset.status = status;
	if (role === 'user')
		return $('text', node).textContent = text;
	render(text, $('text', node), words.copy);
	$('state', node).textContent = { running: words.thinking, done: '' }[status] ?? words[status];
	$('good', node).ariaPressed = feedback?.thumb === 'up';
	$('bad', node).ariaPressed = feedback?.thumb === 'down';
	call($('again', node), words[status === 'done' ? 'again' : 'retry']);
	say(message);
	follow(message);
}

// A screen reader says each paragraph once it is whole.
function say(message) {
	const { status, node } = message, blocks = $('text', node).children;
	const one = text => $('status').append(make('p', { textContent: text }));
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

function refresh() {
	stale = true;
	// A tab that nobody sees asks nothing until it is seen.
	return $('panel').hidden || document.hidden || queue(async () => {
		const all = await load();

		stale = false;
		all.forEach((one, i) => {
			one.question = all[i - 1]?.text;
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
			await receive(now, hear).catch(() => {
				setTimeout(refresh, 5000);
			});
		}
	});
}

function send(text, key = crypto.getRandomValues(new Uint32Array(4)).join('-')) {
	const answer = { role: 'assistant', text: '', status: 'running', said: 0, question: text, key, by: users, last: messages.at(-1)?.id };
	const pair = [{ role: 'user', text }, answer];
	const shown = () => {
		pair.forEach(add);
		toEnd();
	};

	asking = true;
	unsent = null;
	$('status').replaceChildren();
	shown();
	note();
	tell('message', { role: 'user', text });
	return queue(async () => {
		asking = false;
		if (!messages.includes(answer))
			shown();
		await receive(answer, ask).catch(problem => {
			// Not awaited: it is the next in the queue.
			if (answer.id || answer.left && !problem.gone)
				return void refresh();
			drop(pair);
			$('input').value = (text + '\n' + $('input').value).trim();
			// It may have come all the same: what is sent again is the same request.
			unsent = !problem.gone && answer;
			typed();
			throw problem;
		});
		return answer;
	});
}

async function receive(answer, how) {
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
	send(question, status === 'done' ? undefined : key);
	focus();
}

function vote(answer, thumb) {
	const old = answer.feedback?.thumb;
	const set = now => {
		answer.feedback = { thumb: now, text: null };
		draw(answer);
	};

	set(old === thumb ? null : thumb);
	rate(answer).catch(problem => {
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
	stop(answer).catch(problem => {
		answer.stopping = false;
		refuse(problem);
	});
}

function wipe() {
	toggle();
	leave();
	queue(async () => {
		await erase();
		show([]);
		focus();
	}).catch(refresh);
}

function note(word, number) {
	clearTimeout(ticking);
	waits = word === 'wait';
	$('notice').textContent = word ? words[word].replace('{n}', number) : '';
	update();
}

function refuse({ status = 0, wait, gone, message: text }) {
	if (gone)
		return;
	console.warn('Banter:', status, text);
	tell('error', { status, text });
	if (wait) {
		const [unit, size] = wait > 5400 ? ['hour', 3600] : wait > 90 ? ['minute', 60] : ['second', 1];

		note('wait', new Intl.RelativeTimeFormat(language).format(Math.ceil(wait / size), unit));
		ticking = setTimeout(() => {
			note();
			refresh();
		}, wait * 1000);
	} else {
		note({ 0: navigator.onLine ? 'failed' : 'offline', 413: 'tooLong', 401: 'notHere', 403: 'notHere' }[status] ?? 'unavailable', LONGEST);
	}
}

function update() {
	const open = !$('panel').hidden, text = $('input').value, focused = root.activeElement;

	$('box').dataset.open = $('launcher').ariaExpanded = open;
	call($('launcher'), words[open ? 'close' : 'open']);
	$('launcher').querySelector('path').setAttribute('d', ICONS[open ? 'close' : 'launcher']);
	$('panel').ariaModal = !data.inline && phone.matches || null;
	$('suggestions').hidden = messages.length;
	$('erase').hidden = !messages.length;
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
	if (waits || lost)
		update();
	else
		note(long(value) && 'tooLong', LONGEST);
}

function submit() {
	const text = $('input').value.trim();

	if ($('send').disabled || asking || running)
		return;
	$('input').value = '';
	send(text, unsent?.question === text ? unsent.key : undefined);
	typed();
}

function toggle() {
	const asks = $('confirm').hidden;

	$('confirm').hidden = !asks;
	$(asks ? 'no' : 'erase').focus();
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
	if (key === 'Escape')
		($('confirm').hidden ? close : toggle)();
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
		keep('sessionStorage', 'open');
		update();
		if (stale)
			refresh();
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
	keep('sessionStorage');
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
		const answer = await send(text);

		if (answer.status === 'failed')
			throw new Error(words.failed);
		return answer.text;
	},
	on(...one) {
		listeners.add(one);
		return () => listeners.delete(one);
	},
	identify(identity) {
		leave();
		identify(identity);
		show([]);
		refresh();
	},
	theme(name) {
		host.dataset.theme = name;
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
	const spoken = code => /^(en|de|es|fr|pt|it|nl|pl|tr|ar|ja|zh)(?![a-z])/i.exec(code)?.[1].toLowerCase();

	root.adoptedStyleSheets = [style];
	data = tag;
	host.dataset.theme = data.theme;
	language = (data.language ?? [document.documentElement.lang, ...navigator.languages].find(spoken) ?? 'en').replace('_', '-');
	words = { ...(await import(`./words-${spoken(language) ?? 'en'}.js`)).default };
	words.title = data.name ?? words.title;
	words.welcome = data.welcome ?? words.welcome;
	begin(data, heard, refresh);
	document.addEventListener('visibilitychange', () => stale && refresh());
	build();
	show([]);
	place();
	new MutationObserver(() => host.isConnected || requestAnimationFrame(place))
		.observe(document.documentElement, { childList: true, subtree: true });
	phone.onchange = update;
	addEventListener('online', refresh);
	addEventListener('pageshow', ({ persisted }) => persisted && refresh());
	for (const event of ['resize', 'scroll'])
		visualViewport.addEventListener(event, fit);
	if (data.inline)
		refresh();
	else if ('open' in data || kept('sessionStorage'))
		open(true);
	setTimeout(tell, 0, 'ready');
	return Banter;
}
