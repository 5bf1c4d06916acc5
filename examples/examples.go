// Package examples holds the case types that the demo loads.
package examples

import "embed"

// CaseTypes holds one definition a file: kyc.yaml, claim.yaml.
//
//go:embed kyc.yaml claim.yaml
var CaseTypes embed.FS
