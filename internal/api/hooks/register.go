// Package hooks has the operations of the REST API on webhooks: on endpoints, their
// secrets, and the messages that they have received or will receive, and on the journal
// for clients that poll or stream.
package hooks

import (
	"github.com/casehook/casehook/internal/hooks"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/delivery"
)

// Config has the settings and collaborators of the operations, besides the use cases.
type Config struct {
	Guard           *authz.Guard
	CaseTypes       *casework.CaseTypes // whose callbacks have secrets
	Version         string              // of Casehook
	AtfinityVersion string              // of examples in X-atfinity-version
	Feed            *delivery.Feed      // the journal, for clients that follow it
	Tester          *delivery.Tester    // sends samples to endpoints
	Followers       *rest.Followers     // counts the clients that follow the journal
}

// Register registers the operations on webhooks with a kernel.
func Register(k *rest.Kernel, s hooks.Services, c Config) {
	endpointHandler{k, s}.register()
	secretHandler{k, s, c.CaseTypes}.register()
	attemptHandler{kernel: k, service: s, ids: k.SealedIDs("att_")}.register()
	deliveryHandler{k, s}.register()
	replayHandler{k, s}.register()
	repairHandler{k, s}.register()
	filterHandler{s}.register(k)
	testHandler{s, c.Tester}.register(k)
	triggerHandler{kernel: k, service: s, version: c.Version, atfinityVersion: c.AtfinityVersion}.register()
	newJournalHandler(k, s, c).register()
}
