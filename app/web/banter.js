// Banter's chat in a page: <script src="https://SITE/banter.js" data-key="pk-site_…" defer></script>
(() => {
	// A tag manager's script is not the current one, nor is a module.
	const tag = document.currentScript ?? document.querySelector('script[data-key][src*="banter.js"]');

	if (window.Banter || !tag?.dataset.key)
		return console.warn('Banter: here already, or no data-key');

	const widget = import(new URL('banter/@VERSION@/widget.js', tag.src)).then(({ start }) => start({ ...tag.dataset }));
	const later = name => (...values) => widget.then(one => one[name](...values));
	const Banter = window.Banter = {};

	for (const name of ['open', 'close', 'send', 'identify', 'theme', 'texts'])
		Banter[name] = later(name);
	Banter.on = (...values) => {
		const off = later('on')(...values);

		return () => off.then(take => take());
	};
	widget.catch(problem => console.warn('Banter:', problem));
})();
