// Package cases has the operations of the REST API on cases: on case types and the
// documents that describe them, on cases, claims, labels, comments and files, and on
// contacts.
package cases

import (
	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casework"
)

// Register registers the operations on cases with a kernel. Followers counts the clients that wait for questions.
func Register(k *rest.Kernel, s casework.Services, followers *rest.Followers) {
	caseTypeHandler{k, s}.register()
	migrationHandler{k, s}.register()
	caseHandler{k, s}.register()
	questions := k.SealedIDs("qst_")
	questionHandler{kernel: k, service: s, ids: questions}.register()
	workerHandler{service: s.Workers, ids: k.SealedIDs("opn_"), followers: followers}.register(k)
	shadowHandler{k, s.Shadows}.register()
	backtestHandler{kernel: k, service: s.Backtests, ids: questions}.register()
	dryRunHandler{s}.register(k)
	startHandler{k, s}.register()
	jobHandler{k, s}.register()
	presenceHandler{s.Presences}.register(k)
	claimHandler{s}.register(k)
	labelHandler{k, s}.register()
	historyHandler{k, s}.register()
	commentHandler{k, s}.register()
	documents := attachmentHandler{
		kernel:   k,
		service:  s,
		kind:     cases.Document,
		folder:   "documents",
		noun:     "document",
		list:     access.ListDocuments,
		download: access.DownloadDocument,
		remove:   access.DeleteDocument,
	}
	proofs := attachmentHandler{
		kernel:   k,
		service:  s,
		kind:     cases.Proof,
		folder:   "proofs",
		noun:     "proof",
		list:     access.ListProofs,
		download: access.DownloadProof,
		remove:   access.DeleteProof,
	}
	documents.register()
	proofs.register()
	documentHandler{s}.register(k)
	proofHandler{s}.register(k)
	contactHandler{k, s}.register()
}
