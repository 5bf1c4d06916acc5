// Holds OpenAPI documents, one file each, against the recommended rules of Redocly
// and those of Spectral for OpenAPI. Prints what they find in JSON. Loads nothing
// but the files.
import { readFile } from "node:fs/promises";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import spectralCore from "@stoplight/spectral-core";
import spectralRulesets from "@stoplight/spectral-rulesets";

const { Document, Spectral } = spectralCore;
const json = { parse: (text) => ({ data: JSON.parse(text), diagnostics: [], ast: {}, lineMap: [] }), getLocationForJsonPath: () => undefined, trapAccess: (value) => value };

const redocly = await createConfig({ extends: ["recommended"] });
const spectral = new Spectral();
spectral.setRuleset({ extends: [[spectralRulesets.oas, "recommended"]] });

const findings = [];
for (const file of process.argv.slice(2)) {
  const text = await readFile(file, "utf8");
  for (const p of await lintFromString({ source: text, absoluteRef: file, config: redocly })) {
    findings.push({ file, by: "redocly", severity: p.severity, rule: p.ruleId, message: p.message, at: p.location[0]?.pointer ?? "" });
  }
  for (const p of await spectral.run(new Document(text, json, file))) {
    findings.push({ file, by: "spectral", severity: ["error", "warn", "info", "hint"][p.severity], rule: String(p.code), message: p.message, at: "#/" + p.path.join("/") });
  }
}
console.log(JSON.stringify(findings));
