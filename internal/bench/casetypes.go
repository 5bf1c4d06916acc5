package bench

import "fmt"

// The case types that are used: one without callbacks, and one whose transitions ask.
const (
	plainType = "bench_plain"
	askedType = "bench_asked"
)

const definition = `key: %s
name: Claim for a benchmark
reference: BN-{seq}
name_template: "{client} {number}"
fields:
  type: object
  required: [client, number]
  properties:
    client: { title: Client, type: string, minLength: 1 }
    number: { title: Number, type: integer }
    country: { title: Country, type: string, enum: [CH, DE, AT] }
    amount: { title: Amount, type: integer, minimum: 0 }
    note: { title: Note, type: string, maxLength: 2000 }
states:
  - { key: open, name: Open, color: blue }
  - { key: closed, name: Closed, final: true }
edit: change
transitions:
  - { key: open, name: Open, to: open%s }
  - { key: change, name: Change, from: [open] }
  - { key: close, name: Close, from: [open], to: closed }
`

const asks = `, about_to_submit: { url: "${` + callbackVariable + `}` + pathCallback + `" }`

const callbackVariable = "CASEHOOK_VAR_BENCH"

// definitionOf returns a case type in YAML.
func definitionOf(key string) []byte {
	ask := ""
	if key == askedType {
		ask = asks
	}
	return fmt.Appendf(nil, definition, key, ask)
}

// content returns the data of the nth submission, which no other has.
func content(n int64) any {
	return map[string]any{"data": map[string]any{
		"client": "Client of a benchmark", "number": n, "country": "CH", "amount": 1000 + n,
		"note": "Hail has damaged the roof and the windscreen. The garage expects the parts within two weeks.",
	}}
}
