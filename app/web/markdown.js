// A subset of Markdown, in linear time. Nothing is read as HTML or loaded.
const raw = String.raw;
const MARKS = { ul: raw`[-*+](?:[ \t]|$)`, ol: raw`\d{1,9}[.)](?:[ \t]|$)` };
const RULE = raw` *(?:(?:- *){3,}|(?:[*_] *){3,})$`;
const TABLE = raw`(?=.*\|).+\n(?=.*\|)(?=.*-)[ |:-]+$`;
const START = raw` *(?:#{1,6}(?:[ \t]|$)|>|\`{3}|~{3}|${MARKS.ul}|${MARKS.ol})|${RULE}|${TABLE}`;
const item = (margin, tag) => raw`${margin} ?${MARKS[tag]}.*(?:\n+${margin}(?:  |\t)(?: *\`{3}.*(?:\n(?! *\`{3}).*)*(?:\n.*)?|.*)|\n(?!${START}).+)*`;
const list = tag => raw`(?=(?<${tag}> *)${MARKS[tag]})(?:\n*(?!${RULE})${item(raw`\k<${tag}>`, tag)})+`;
const BLOCK = RegExp(raw`^(?:(?<div> *(?<fence>\`{3,}|~{3,})[^\`\s]*[ \t]*$(?<code>(?:\n(?! *\k<fence> *$).*)*)(?:\n.*)?)|(?<hr>${RULE})| *(?<h3>#{1,6})(?:[ \t].*|$)|(?<section>${TABLE}(?:\n(?=.*\|).+)*)|(?<blockquote>(?: *>.*\n?)+)|${list('ul')}|${list('ol')}|.+(?:\n(?!${START}).+)*)`, 'gm');
const TOKEN = /\\([!-/:-@[-`{-~])|(?<!`)(`{1,3})(?!`)([^]+?)(?<!`)\2(?!`)|(\*+|_+|~+)|\n|<br ?\/?>|!?\[|\](?:\(<?((?:https?:\/\/|mailto:)(?:[^\s()<>]|\([^\s()<>]*\))+)>?(?: +"[^"]*")?\))?|<?(https?:\/\/(?:[.,:;!?'*_~]*(?:[^\s()<>[\]"`|.,:;!?'*_~\u2000-\u206f\u2e80-\uffff]|\([^\s()<>]*\)))+)>?/gi;
const TAGS = { '*': 'em', _: 'em', '**': 'strong', '***': 1, '~~': 'del' };

export function make(tag, more, ...children) {
	const node = Object.assign(document.createElement(tag), more);
	node.append(...children);
	return node;
}
const grow = (into, ...what) => into.appendChild(make(...what));
const link = (node, href) => Object.assign(node, { href, target: '_blank', rel: 'noopener noreferrer nofollow ugc' });

function inline(text, into) {
	const open = [];
	let at = 0, node = into;
	into.textContent = '';
	const find = mark => open.findLast(one => one.mark == mark);
	// What began there is text after all.
	const undo = it => {
		const { as, one } = it;
		open.splice(open.indexOf(it), 1);
		one.before(as);
		while (one.firstChild) one.before(one.firstChild);
		if (node == one) node = one.parentNode;
		one.remove();
	};
	const begin = (mark, as) => {
		const it = find(mark);
		if (it) undo(it);
		node = grow(node, TAGS[mark] || 'a');
		open.push({ mark, as, one: node });
	};
	const end = it => {
		while (node != it.one) undo(open[open.length - 1]);
		node = node.parentNode;
		return open.pop().one;
	};
	for (const found of text.matchAll(TOKEN)) {
		const [all, escaped, , code, run, href, address] = found, opened = find('[');
		node.append(text.slice(at, found.index));
		at = found.index + all.length;
		if (code) grow(node, 'code').textContent = code.trim();
		else if (address) link(grow(node, 'a'), address).textContent = address;
		else if (TAGS[run]) {
			const before = text[found.index - 1] || ' ', after = text[at] || ' ';
			for (const mark of run != '***' ? [run] : (open[open.length - 1] || open).mark == '*' ? ['*', '**'] : ['**', '*']) {
				const word = mark[1] ? /^$/ : /[\wÀ-ۿ]/, it = find(mark);
				if (it && /\S/.test(before) && !word.test(after)) end(it);
				else if (/\S/.test(after) && !word.test(before)) begin(mark, mark);
				else node.append(mark);
			}
		} else if (/^!?\[/.test(all)) begin('[', all);
		else if (opened && href) {
			const one = link(end(opened), href);
			for (const inner of one.querySelectorAll('a')) inner.replaceWith(inner.textContent);
			if (!one.textContent.trim()) one.textContent = href;
		} else if (/^[\n<]/.test(all)) grow(node, 'br');
		else {
			if (opened && all == ']') undo(opened);
			node.append(escaped || all);
		}
	}
	node.append(text.slice(at));
	while (open[0]) undo(open[0]);
}

function table(text, into) {
	const [head, , ...rows] = text.split('\n').map(row => row.trim().replace(/^\||\|$/g, '')
		.replace(/\\.|`[^`]*`|\|/g, part => part == '|' ? '\n' : part.replaceAll('\\|', '|')).split('\n'));
	into.textContent = '';
	Object.assign(into, { className: 'table', tabIndex: 0 });
	const all = grow(into, 'table');
	for (const row of [head, ...rows]) {
		const line = all.insertRow();
		for (const cell of row) inline(cell, grow(line, row == head ? 'th' : 'td'));
	}
}

// The block after `last`: the same node while it is of the same kind, filled when its source changes.
function put(into, last, tag, source, fill) {
	let node = last ? last.nextSibling : into.firstChild;
	if (!node || node.localName != tag) node = into.insertBefore(document.createElement(tag), node);
	if (node.source != source) fill(node);
	node.source = source;
	return node;
}

function blocks(text, into, depth, copyWord) {
	let last = null;
	for (const { 0: all, groups = {} } of depth > 8 ? [[text]] : text.matchAll(BLOCK)) {
		const { code } = groups, tag = Object.keys(groups).find(one => groups[one] != null) || 'p';
		last = put(into, last, tag, all, node => {
			if (!depth) node.dir = /^\P{L}*[\u0590-\u08ff]/u.test(all) ? 'rtl' : 'ltr';
			if (tag == 'div') {
				if (!node.firstChild) {
					node.className = 'code';
					grow(node, 'button', { type: 'button', part: 'copy', textContent: copyWord });
					grow(grow(node, 'pre', { dir: 'ltr', tabIndex: 0 }), 'code');
				}
				node.lastChild.firstChild.textContent = code.replace(RegExp(`^ {0,${all.search(/\S/)}}`, 'gm'), '').slice(1);
			} else if (tag == 'section') table(all, node);
			else if (tag == 'blockquote') blocks(all.replace(/^ *> ?/gm, ''), node, depth + 1, copyWord);
			else if (MARKS[tag]) {
				let last = null;
				for (const [one] of all.matchAll(RegExp(item(groups[tag], tag), 'gm'))) {
					last = put(node, last, 'li', one, li => {
						const number = parseInt(one);
						if (number >= 0 && (!li.previousSibling || number != parseInt(all))) li.value = number;
						else li.removeAttribute('value');
						blocks(one.replace(/^ *\S+[ \t]?/, '').replace(RegExp(`^(?:\t| {0,${/(?<=\n) +|$/.exec(one)[0].length}})`, 'gm'), ''), li, depth + 1, copyWord);
					});
				}
				while (node.lastChild != last) node.lastChild.remove();
			} else if (tag != 'hr') inline(all.replace(/^ *#{1,6}(?!\S)/, ''), node);
		});
	}
	while (into.lastChild != last) into.lastChild.remove();
}

export function render(text, into, copyWord) {
	// auto is found anew for each block.
	into.removeAttribute('dir');
	blocks(text.replace(/[\r\u2028-\u202e]|^[ \t]+$/gm, ''), into, 0, copyWord);
}
