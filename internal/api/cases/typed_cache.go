package cases

import (
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/cache"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// documentCache caches the documents of case types, and the refusals of those that are
// too large.
type documentCache struct {
	made *cache.Cache[documentKey, madeDocument]
}

type documentKey struct {
	tenant    int64
	key       string
	version   int64
	clearance casetype.Classification
}

type madeDocument struct {
	body rest.Reply[rest.Object]
	err  error
}

func newDocumentCache() documentCache {
	return documentCache{cache.New[documentKey, madeDocument](200, 4*mostDescribed)}
}

// document returns a document from the cache, or makes and caches it.
func (c documentCache) document(
	k documentKey, make func() (rest.Reply[rest.Object], error),
) (rest.Reply[rest.Object], error) {
	if found, ok := c.made.Get(k); ok {
		return found.body, found.err
	}
	body, err := make()
	if err == nil || fault.As(err).Code == codeNotDescribed {
		c.made.Put(k, madeDocument{body, err}, len(body))
	}
	return body, err
}
