// What redocly finds in the API's description, by its recommended rules: node lint.mjs MODULES FILE
// MODULES: the folder node_modules. Prints a line for each finding, and nothing when all is well.

import { createRequire } from 'node:module';

const [modules, file] = process.argv.slice(2);
const { createConfig, lint } = createRequire(modules + '/')('@redocly/openapi-core');
const config = await createConfig({
	extends: ['recommended-strict'],
	rules: {
		// Health, metrics and this description have no client's error.
		'operation-4xx-response': 'off',
		// It does not see what x-members use: tests/description does.
		'no-unused-components': 'off',
		'no-ambiguous-paths': 'error',
		'no-invalid-schema-examples': 'error',
		'no-invalid-media-type-examples': 'error',
		'no-required-schema-properties-undefined': 'error',
	},
});

for (const { message, ruleId, location } of await lint({ ref: file, config }))
	console.log(`${file}${location[0].pointer ?? ''}: ${ruleId}: ${message}`);
