// Keeps who a page's visitor is, so that they find their conversations again. Beside the page; nothing in it is to be changed.
//
// visitorFetch(key) is a fetch with the site key and the visitor's token, for components that are given one.
// asVisitor(site, key) makes the page's own fetch do so for the addresses of that site, for those that are not.

const HEADER = 'X-Visitor-Token';

export function visitorFetch(key, plain = window.fetch) {
	const kept = 'banter-visitor ' + key;
	const ask = (address, options) => {
		const headers = new Headers(options.headers);
		const token = localStorage.getItem(kept);

		headers.set('x-api-key', key);
		if (token)
			headers.set(HEADER, token);
		return plain.call(window, address, { ...options, headers });
	};
	// A visitor whose conversations were all erased is nobody any more, and begins anew.
	const unknown = async reply => reply.status === 401 && (await reply.clone().text()).includes('Unknown visitor');

	return async (address, options = {}) => {
		let reply = await ask(address, options);

		if (await unknown(reply)) {
			localStorage.removeItem(kept);
			reply = await ask(address, options);
		}
		if (reply.headers.get(HEADER))
			localStorage.setItem(kept, reply.headers.get(HEADER));
		return reply;
	};
}

export function asVisitor(site, key) {
	const plain = window.fetch;
	const visitor = visitorFetch(key, plain);

	window.fetch = (address, options) =>
		String(address).startsWith(site + '/') ? visitor(address, options) : plain.call(window, address, options);
}
