// Validates the event catalogue as an AsyncAPI 3 document; prints errors and exits with 1.
//
//   node check-asyncapi.mjs ../../contracts-schema/asyncapi.yaml
import { Parser, fromFile } from "@asyncapi/parser";

const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse();
const errors = diagnostics.filter(({ severity }) => severity === 0);
for (const { message, path } of errors) console.error(`${path.join(".")}: ${message}`);
if (document === undefined || errors.length > 0) process.exit(1);
console.log(`${document.allMessages().length} messages, ${document.allOperations().length} operations`);
