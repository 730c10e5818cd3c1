"""What the widget writes: answers' Markdown as elements (app/web/markdown.js) and its own words (app/web/words-….js), by their modules
alone, in Chromium."""

import contextlib
import os
import random
import re

import pytest
import servers
from browser import Browser

WEB = servers.ROOT / "app" / "web"
SEED = int(os.environ.get("BANTER_TEST_SEED", "18"))

# In the page: shown() is what a reader gets of an element, in short; attributes that all of its kind have are not in it.
PAGE = r"""
window.load = async text => import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })));
window.box = (text, into = document.createElement('div')) => (markdown.render(text, into, 'Copy'), into);
window.shown = node => [...node.childNodes].map(one => {
	if (one.nodeType === Node.TEXT_NODE) return one.data;
	if (one.localName === 'button') return '';
	if (one.localName === 'br') return '<br>';
	if (one.localName === 'hr') return '<hr>';
	if (one.localName === 'tbody') return shown(one);
	const said = ['href', 'value'].map(name => one.getAttribute(name)).filter(value => value).join(' ');
	const inner = shown(one);
	return `<${one.localName}${said && ' ' + said}>${/^(p|h\d|t[hd])$/.test(one.localName) ? inner.trim() : inner}</>`;
}).join('');
"""


@pytest.fixture(scope="module")
def page():
    """run(script, ...) of a page that has the module."""
    with contextlib.closing(Browser()) as browser:
        browser.open("data:text/html,<!doctype html><title>x</title>")
        browser.run(PAGE)
        browser.run("const [text] = arguments; return load(text).then(all => { window.markdown = all })", (WEB / "markdown.js").read_text())
        yield browser
        assert browser.run("return performance.getEntriesByType('resource').map(one => one.name).filter(one => !one.startsWith('blob:'))") == []
        assert [line for line in browser.said() if "favicon.ico" not in line] == []


WRITTEN = {
    "paragraphs": [
        ("one\ntwo\n\n\nthree", "<p>one<br>two</><p>three</>"),
        ("one\r\n\r\ntwo", "<p>one</><p>two</>"),
        ("one\n  \t \ntwo", "<p>one</><p>two</>"),
        ("one<br>two<br/>three", "<p>one<br>two<br>three</>"),
        ("   led by space", "<p>led by space</>"),
        ("", ""),
        ("\n \n", ""),
    ],
    "headings": [
        ("# One\ntext\n## Two ##x\n\n### Three", "<h3>One</><p>text</><h3>Two ##x</><h3>Three</>"),
        ("##### a\n###### b", "<h3>a</><h3>b</>"),
        ("text\n# **One**", "<p>text</><h3><strong>One</></>"),
        ("#tag, #5\n\n####### seven", "<p>#tag, #5</><p>####### seven</>"),
    ],
    "rules": [
        ("a\n---\nb\n\n***\n- - -\n___", "<p>a</><hr><p>b</><hr><hr><hr>"),
        ("- a\n---\n- b", "<ul><li><p>a</></></><hr><ul><li><p>b</></></>"),
        ("- a\n* * *\n- - b", "<ul><li><p>a</></></><hr><ul><li><ul><li><p>b</></></></></>"),
        ("a--b -- c", "<p>a--b -- c</>"),
    ],
    "emphasis": [
        ("**a** *b* _c_ ~~d~~ ***e***", "<p><strong>a</> <em>b</> <em>c</> <del>d</> <strong><em>e</></></>"),
        ("**a *b*** and *a **b***", "<p><strong>a <em>b</></> and <em>a <strong>b</></></>"),
        ("**Bold:** text, **bold**: text", "<p><strong>Bold:</> text, <strong>bold</>: text</>"),
        ("snake_case_name __init__ имя_файла_тут a*b*c 2*3*4 2 * 3", "<p>snake_case_name __init__ имя_файла_тут a*b*c 2*3*4 2 * 3</>"),
        ("**「重要」**です。**这是**粗体*强调*的", "<p><strong>「重要」</>です。<strong>这是</>粗体<em>强调</>的</>"),
        ("**bold and\nlines**", "<p><strong>bold and<br>lines</></>"),
        ("a **b\n\nc** d", "<p>a **b</><p>c** d</>"),
        ("10 €* and *more", "<p>10 €* and *more</>"),
        ("**a *b** c*", "<p><strong>a *b</> c*</>"),
        ("****** f**** ~5 ~~~", "<p>****** f**** ~5 ~~~</>"),
        ("\U0001f600**\U0001f680**\U0001f469\u200d\U0001f680", "<p>\U0001f600<strong>\U0001f680</>\U0001f469\u200d\U0001f680</>"),
    ],
    "code in a line": [
        ("`a` ``b ` c`` ` `` `", "<p><code>a</> <code>b ` c</> <code>``</></>"),
        ("`**a** [b](https://c.example) <d>`", "<p><code>**a** [b](https://c.example) <d></></>"),
        ("`C:\\` and \\`not` it", "<p><code>C:\\</> and `not` it</>"),
        ("`open **a**", "<p>`open <strong>a</></>"),
        ("**`a`**", "<p><strong><code>a</></></>"),
    ],
    "escapes": [
        ("\\*a\\* \\[b\\] \\_c\\_ 1\\. \\# \\\\", "<p>*a* [b] _c_ 1. # \\</>"),
        ("C:\\dir $a_1 \\alpha$ $$x_{i} + y_{j}$$", "<p>C:\\dir $a_1 \\alpha$ $$x_{i} + y_{j}$$</>"),
    ],
    "code blocks": [
        ("```js\nlet a = 1;\n\n  <b>*c*</b>\n```\nafter", "<div><pre><code>let a = 1;\n\n  <b>*c*</b></></></><p>after</>"),
        ("text\n~~~\n```\n~~~", "<p>text</><div><pre><code>```</></></>"),
        ("````md\n```js\na\n```\n````\nb", "<div><pre><code>```js\na\n```</></></><p>b</>"),
        ("```\nopen\n\n# so far", "<div><pre><code>open\n\n# so far</></></>"),
        ("```py", "<div><pre><code></></></>"),
        ("  ```\n  a\n    b\n  ```", "<div><pre><code>a\n  b</></></>"),
        ("```\n\ttab\n```", "<div><pre><code>\ttab</></></>"),
        ("```in a line```", "<p><code>in a line</></>"),
        ("``` more than a language\ntext", "<p>``` more than a language<br>text</>"),
    ],
    "lists": [
        ("- a\n* b\n+ c", "<ul><li><p>a</></><li><p>b</></><li><p>c</></></>"),
        ("text:\n- a\n  - b\n    - c\n- d", "<p>text:</><ul><li><p>a</><ul><li><p>b</><ul><li><p>c</></></></></></><li><p>d</></></>"),
        ("- a\n    - b\n\n- c\n\n  more\n\nend", "<ul><li><p>a</><ul><li><p>b</></></></><li><p>c</><p>more</></></><p>end</>"),
        ("1. a\n\n2. b\n\n10) c", "<ol><li 1><p>a</></><li 2><p>b</></><li 10><p>c</></></>"),
        ("1. a\n1. b\n1. c", "<ol><li 1><p>a</></><li><p>b</></><li><p>c</></></>"),
        ("3. a\n2. b\n1. c", "<ol><li 3><p>a</></><li 2><p>b</></><li 1><p>c</></></>"),
        ("1. a\n  - b\n    - c\n2. d", "<ol><li 1><p>a</><ul><li><p>b</><ul><li><p>c</></></></></></><li 2><p>d</></></>"),
        ("1. **A**\n\n   ```sh\n   ls\n     x\n   ```\n\n   then\n2. B",
         "<ol><li 1><p><strong>A</></><div><pre><code>ls\n  x</></></><p>then</></><li 2><p>B</></></>"),
        ("1. a\n   ```sh\nls\n   ```\n2. b", "<ol><li 1><p>a</><div><pre><code>ls</></></></><li 2><p>b</></></>"),
        ("1. a\n```\nx\n```\n2. b", "<ol><li 1><p>a</></></><div><pre><code>x</></></><ol><li 2><p>b</></></>"),
        ("- a\nlazy\n- b", "<ul><li><p>a<br>lazy</></><li><p>b</></></>"),
        ("- a\n\t- b", "<ul><li><p>a</><ul><li><p>b</></></></></>"),
        ("- a\n1. b", "<ul><li><p>a</></></><ol><li 1><p>b</></></>"),
        ("- a\n\n  | x | y |\n  |---|---|\n  | 1 | 2 |\n", "<ul><li><p>a</><section><table><tr><th>x</><th>y</></><tr><td>1</><td>2</></></></></></>"),
        ("- [ ] a\n- [x] b", "<ul><li><p>[ ] a</></><li><p>[x] b</></></>"),
        ("-5 and -a\n\n1.5 and 2.x", "<p>-5 and -a</><p>1.5 and 2.x</>"),
        ("- ", "<ul><li></></>"),
    ],
    "quotes": [
        ("> a\n> **b**\n>\n> - c\n> > d\n\ne",
         "<blockquote><p>a<br><strong>b</></><ul><li><p>c</></></><blockquote><p>d</></></><p>e</>"),
        ("a\n>b\n# c", "<p>a</><blockquote><p>b</></><h3>c</>"),
        ("1 > 0", "<p>1 > 0</>"),
    ],
    "tables": [
        ("| a | b |\n|---|--:|\n| 1 | **2** |\n\nend",
         "<section><table><tr><th>a</><th>b</></><tr><td>1</><td><strong>2</></></></></><p>end</>"),
        ("text\na|b\n:-:|-\n1|2\nend", "<p>text</><section><table><tr><th>a</><th>b</></><tr><td>1</><td>2</></></></><p>end</>"),
        ("|a|b|\n|-|-|\n|`x|y`|c\\|d|\n|`e\\|f`|1<br>2|",
         "<section><table><tr><th>a</><th>b</></><tr><td><code>x|y</></><td>c|d</></><tr><td><code>e|f</></><td>1<br>2</></></></>"),
        ("|a|b|\n|-|-|\n||1|\n|2|", "<section><table><tr><th>a</><th>b</></><tr><td></><td>1</></><tr><td>2</></></></>"),
        ("a | b\nc | d", "<p>a | b<br>c | d</>"),
        ("yes | no\n---", "<p>yes | no</><hr>"),
    ],
    "links": [
        ("[a **b**](https://x.example/c_(d)?e=f#g) h", "<p><a https://x.example/c_(d)?e=f#g>a <strong>b</></> h</>"),
        ('[a](http://x.example "title") [b](<https://y.example>) [c](mailto:a@b.example)',
         "<p><a http://x.example>a</> <a https://y.example>b</> <a mailto:a@b.example>c</></>"),
        ("https://x.example/a. (https://x.example/b), **https://x.example/c** <https://x.example/d>",
         "<p><a https://x.example/a>https://x.example/a</>. (<a https://x.example/b>https://x.example/b</>), "
         "<strong><a https://x.example/c>https://x.example/c</></> <a https://x.example/d>https://x.example/d</></>"),
        ("(https://x.example/A_(b)) https://x.example/a_b_c/?d=e&f=*g* x",
         "<p>(<a https://x.example/A_(b)>https://x.example/A_(b)</>) <a https://x.example/a_b_c/?d=e&f=*g>https://x.example/a_b_c/?d=e&f=*g</>* x</>"),
        ("请看https://x.example/a。好（https://x.example/b）", "<p>请看<a https://x.example/a>https://x.example/a</>。好（<a https://x.example/b>https://x.example/b</>）</>"),
        ("[https://x.example](https://y.example) [https://x.example]",
         "<p><a https://y.example>https://x.example</> [<a https://x.example>https://x.example</>]</>"),
        ("[](https://x.example) [ ](https://y.example)", "<p><a https://x.example>https://x.example</> <a https://y.example>https://y.example</></>"),
        ("![a cat](https://x.example/cat.png) Hi![1]", "<p><a https://x.example/cat.png>a cat</> Hi![1]</>"),
        ("[a] [b](https://x.example) [c", "<p>[a] <a https://x.example>b</> [c</>"),
        ("Footnote[^1], [ref][1], arr[0](x)\n\n[^1]: note", "<p>Footnote[^1], [ref][1], arr[0](x)</><p>[^1]: note</>"),
        ("**[a** b](https://x.example)", "<p><strong>[a</> b](https://x.example)</>"),
    ],
    "no links": [
        (text, f"<p>{text}</>") for text in (
            "[a](javascript:alert(1))", "[a](JaVaScRiPt:alert(1))", "[a](java\tscript:alert(1))", "[a](javascript&#58;alert(1))",
            "[a](\x01javascript:alert(1))",
            "[a](data:text/html,x)", "[a](//evil.example)", "[a](/path)", "[a](vbscript:x)", "[a](file:///etc/passwd)",
            "[a]( javascript:x)", "[a](\u200bjavascript:x)", "![a](data:image/png;base64,AAAA)", "javascript:alert(1)", "ftp://x.example", "[a](https:x)",
        )
    ],
    "text": [
        (text, f"<p>{text}</>") for text in (
            "<b>a</b> <img src=x onerror=alert(1)> <script>alert(1)</script>", "<!-- a --> &amp; &lt; &#60;", "<a href='https:x'>b</a>", "a\0b", "$5 & 6 < 7 \"8\" '9'",
        )
    ],
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_markdown_as_it_is_shown(page, kind):
    got = page.run("return arguments[0].map(text => shown(box(text)))", [text for text, _ in WRITTEN[kind]])
    for (text, wanted), shown in zip(WRITTEN[kind], got):
        assert shown == wanted, text


def test_a_code_block_can_be_copied_and_scrolled(page):
    got = page.run("return box('```\\na\\n```\\n\\n|a|\\n|-|\\n').innerHTML")
    assert got == ('<div dir="ltr" class="code"><button type="button" part="copy">Copy</button><pre dir="ltr" tabindex="0"><code>a</code></pre></div>'
                   '<section dir="ltr" class="table" tabindex="0"><table><tbody><tr><th>a</th></tr></tbody></table></section>')


def test_a_link_tells_nobody_where_it_was(page):
    assert page.run("return box('https://x.example').innerHTML") == (
        '<p dir="ltr"><a href="https://x.example" target="_blank" rel="noopener noreferrer nofollow ugc">https://x.example</a></p>')


def test_a_block_has_its_own_direction(page):
    texts = ["Hello", "مرحبا Hello", "Hello مرحبا", "\U0001f44b **مرحبا**", "- שלום", "1. one", "日本語", "…"]
    assert page.run("return arguments[0].map(text => box(text).firstChild.dir)", texts) == ["ltr", "rtl", "ltr", "rtl", "rtl", "ltr", "ltr", "ltr"]
    assert page.run("return box('a\\u202eb\\u202dc\\u202ad\\u2028e').textContent") == "abcde", "no override is left"


# What is still being written.

ANSWER = """# Opening hours
We are **open** on:

- Monday, *from 9*
  - not at `noon`
  - nor at night

    ```sh
    - echo "hi"
    ```
- Tuesday
* * *
| day | hours |
|:----|------:|
| Mon | 9\\|18 |
| `a|b` | [see](https://x.example/a_(b)) |

1. First
   > quoted **text**

2. Second
```js
let a = `1`;

```
**Note:** https://x.example/a_b. ***All*** of _it_
2 * 3
"""

# What was finished when a line was: it stays in the page while the text grows.
GROWS = """
const [text, cuts] = arguments, into = document.createElement('div'), kept = new Set(), wrong = [];
const every = node => [node, ...[...node.childNodes].flatMap(every)];
const finished = parent => [...parent.children].flatMap((one, i, all) =>
	i < all.length - 1 ? every(one) : /^(ul|ol|li|blockquote)$/.test(one.localName) ? finished(one) : []);
for (const cut of cuts || Array.from(text, (_, i) => i + 1)) {
	const part = text.slice(0, cut);
	box(part, into);
	if (shown(into) !== shown(box(part))) wrong.push(['is not what it is at once', part]);
	for (const node of kept) if (!into.contains(node)) wrong.push(['was replaced: ' + (node.outerHTML || node.data), part]), kept.delete(node);
	if (part.endsWith('\\n')) finished(into).forEach(node => kept.add(node));
}
return [wrong.slice(0, 5), kept.size];
"""


def test_an_answer_grows_without_changing_what_is_finished(page):
    wrong, kept = page.run(GROWS, ANSWER, None)
    assert wrong == []
    assert kept > 50, "something was finished"


def test_the_button_to_copy_stays_while_code_is_written(page):
    assert page.run("""
        const into = box('```js\\nlet'), button = into.querySelector('button');
        box('```js\\nlet a = 1;\\n', into);
        return button === into.querySelector('button') && into.querySelector('code').textContent""") == "let a = 1;\n"


def test_another_text_leaves_nothing_of_the_one_before(page):
    for kind in WRITTEN:
        for text, wanted in WRITTEN[kind]:
            assert page.run("const [first, text] = arguments; return shown(box(text, box(first)))", ANSWER, text) == wanted, text
    assert page.run("return shown(box('1. a\\n1. b', box('1. a\\n7. b')))") == "<ol><li 1><p>a</></><li><p>b</></></>"


# What nobody should write.

NAUGHTY = [
    "<script>alert(1)</script>", "<img src=https://evil.example/a.png onerror=alert(1)>", "<svg/onload=alert(1)>", "<iframe src=//evil.example>", "<style>*{}</style>",
    "<a href=javascript:alert(1)>", "<!--", "]]>", "&lt;b&gt;", "&#x202e;", "{{7*7}}", "${alert(1)}", "'\"--", "\u202e", "\u2066", "\u200b" * 40, "\u200d", "\ufeff", "\u0301" * 60,
    "\0", "\x1b[31m", "\x07", "\x7f", "\x85", "\u2028", "\r", "\r\n", "\uffff", "\ue000", "\U0001f469\u200d\U0001f680", "\u0915\u094d\u0937", "ﷺ", "مرحبا", "日本語", "Ω≈ç√∫",
]
PIECES = [
    "*", "**", "***", "_", "__", "~~", "`", "``", "```", "```js\n", "~~~\n", "[", "![", "](", "](https://x.example)", "](javascript:alert(1))", "](//evil.example)", "](data:,x)", ")",
    "(", "<https://x.example>", "https://x.example/a_b?c=*d*", "\\", "\\*", "\\|", "|", "| a | b |\n|---|:-:|\n", "|---|", "-|-\n", "- ", "* ", "+ ", "1. ", "2) ", "  ", "    ", "\t", "> ",
    ">", "# ", "###### ", "---\n", "***\n", "\n", "\n\n", "\n", "\n\n", "<br>", "mailto:a@b.example",
]

JUDGE = """
const elements = {
	p: ['dir'], h3: ['dir'], ul: ['dir'], ol: ['dir'], li: ['value'], blockquote: ['dir'], hr: ['dir'], br: [], code: [], em: [], strong: [], del: [],
	div: ['class', 'dir'], button: ['type', 'part'], pre: ['dir', 'tabindex'], section: ['class', 'dir', 'tabindex'], table: [], tbody: [], tr: [], th: [], td: [],
	a: ['href', 'target', 'rel'],
};
const judge = (text, cuts) => {
	text = text.replaceAll('\\ue000', '\\ud83d');
	const into = document.createElement('div'), wrong = [];
	document.body.append(into);
	for (const cut of [...cuts, text.length]) box(text.slice(0, cut), into);
	if (shown(into) !== shown(box(text))) wrong.push('is not what it is at once');
	for (const one of into.querySelectorAll('*')) {
		const allowed = elements[one.localName];
		if (!allowed) wrong.push(one.localName);
		else for (const { name } of one.attributes) if (!allowed.includes(name)) wrong.push(one.localName + ' ' + name);
		if (one.localName === 'a' && !(/^(https?:\\/\\/|mailto:)/i.test(one.getAttribute('href')) && one.target === '_blank' && one.rel === 'noopener noreferrer nofollow ugc'))
			wrong.push(one.outerHTML);
		if (one.parentNode.closest('a') && one.localName === 'a') wrong.push('a link in a link');
		let depth = 0;
		for (let up = one; up !== into; up = up.parentNode) depth++;
		if (depth > 30) wrong.push('deep');
	}
	const words = from => (from.match(/W\\d+W/g) || []).join(' ');
	if (words(into.textContent) !== words(text)) wrong.push(`lost: ${words(text)}: ${words(into.textContent)}`);
	into.remove();
	return wrong.length ? [[text, wrong.slice(0, 5)]] : [];
};
return arguments[0].flatMap(([text, cuts]) => judge(text, cuts));
"""


def test_whatever_is_written_stays_in_its_box(page):
    print(f"BANTER_TEST_SEED={SEED}")
    chance = random.Random(SEED)

    def text():
        parts = []
        for n in range(chance.randrange(1, 60)):
            piece = chance.choice(chance.choice([PIECES, PIECES, NAUGHTY, [f" W{n}W "]]))
            parts.append(piece if chance.random() < 0.9 or "W" in piece else piece[:chance.randrange(len(piece) + 1)])
        return "".join(parts)

    for _ in range(20):
        texts = [text() for _ in range(100)]
        wrong = page.run(JUDGE, [(one, sorted(chance.randrange(len(one) + 1) for _ in range(3))) for one in texts])
        assert wrong == [], f"BANTER_TEST_SEED={SEED}"


def test_what_is_nested_without_end_is_shown_so_far(page):
    deep = "> " * 100 + "W1W\n\n" + "".join("  " * n + f"- W{n}W\n" for n in range(2, 60)) + "\n" + "- " * 60 + "W99W"
    assert page.run(JUDGE, [(deep, [])]) == []


LONG = 100_000
# A unit that is repeated, or a text that is whole.
UNITS = [
    "a", " ", "\n", "\\", "*", "**", " *a", " **a", "_a ", "~~", "*a **b", "[", "![", "[*a", "[a]", "](", "[a](", "[a](https://x", '](https://x "', "[a](https://x.example) ", "`", "` `` ``` ",
    "`a``b", "\\`", ">", "> a\n", "#", "# ", "|", "|-", "a|b\n", "a|b\n-|-\n", "-", "- ", "-\n", "1.\n", "- a\n\n", "  - a\n", "1. a\n   - b\n", "```\n", "- ```\n", "https://", "https://a(", "https://...",
    "<br", "  \n", "\u200b", "\u0301", "\u202e", "a\n\n", "**a** ", "- " * 20 + "\n",
]
WHOLE = {
    "a dot after another": "https://" + "." * LONG + "a", "spaces in a line": "- a\n" + " " * LONG + "b", "bars and dashes": "|" * LONG + "\n" + "-" * LONG + "x",
    "almost a rule": "- " * (LONG // 2) + "x", "almost a row": "a | b\n" + "-|" * (LONG // 2) + "x", "a target's end": "[a](https://x" + " " * LONG + "x",
    "a title's end": '[a](https://x "' + "b" * LONG, "a break's end": "<br" + " " * LONG, "a word": "**" + "b" * LONG + "**", "ticks": "`" * (LONG // 2) + "b" * (LONG // 2),
}


@pytest.mark.parametrize("text", [*((unit * LONG)[:LONG] for unit in UNITS), *WHOLE.values()], ids=[*map(ascii, UNITS), *WHOLE])
def test_long_texts_take_no_longer_for_each_character(page, text):
    """What takes a time that grows with the square takes minutes here, and the browser ends it after thirty seconds."""
    elements = page.run("const [text] = arguments; return box(text).querySelectorAll('*').length", text)
    assert elements <= 2 * len(text)


def test_many_blocks_take_no_longer_each_where_the_direction_is_automatic(page):
    blocks = page.run("""
        const into = document.body.appendChild(document.createElement('div'));
        into.dir = 'auto';
        box(arguments[0], into);
        into.remove();
        return into.children.length""", "a\n\n" * (LONG // 3))
    assert blocks == LONG // 3


# Words.

LANGUAGES = {"en", "de", "es", "fr", "pt", "it", "nl", "pl", "tr", "ar", "ja", "zh"}


def test_every_language_has_every_word(page):
    load = "const [text] = arguments; return load(text).then(all => all.default)"
    words = {path.stem.removeprefix("words-"): page.run(load, path.read_text()) for path in WEB.glob("words-*.js")}
    assert set(words) == LANGUAGES
    assert set(re.search(r"spoken = code => /\^\((.*?)\)", (WEB / "widget.js").read_text())[1].split("|")) == LANGUAGES
    for language, said in words.items():
        assert said.keys() == words["en"].keys(), language
        for name, text in said.items():
            assert text.strip() == text != "", (language, name)
            assert re.findall(r"\{.*?\}", text) == re.findall(r"\{.*?\}", words["en"][name]), (language, name)
    assert {language for language, said in words.items() if said["dir"] == "rtl"} == {"ar"}
    assert {name for name, text in words["en"].items() if "{n}" in text} == {"wait", "tooLong"}
