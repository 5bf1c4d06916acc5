// Package examples holds the case types that the demo loads.
package examples

import "embed"

// CaseTypes holds one definition a file: kyc.yaml, claims/motor.yaml ...
//
//go:embed kyc.yaml claims
var CaseTypes embed.FS
