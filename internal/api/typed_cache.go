package api

import (
	"sync"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// documentCache keeps the documents of case types that were made, and the refusals of those
// that are too large. A version never changes, and neither does its document. The zero
// value is ready.
type documentCache struct {
	mu   sync.Mutex
	made map[documentKey]madeDocument
	size int // of the documents, in bytes
}

type documentKey struct {
	tenant    int64
	key       string
	version   int64
	clearance casetype.Classification
}

type madeDocument struct {
	body reply[Object]
	err  error
}

// The bounds of the cache; beyond them it begins anew.
const (
	maxDocuments     = 200
	maxDocumentsSize = 4 * mostDescribed
)

// get returns a document, which is made where it is not there.
func (c *documentCache) get(k documentKey, make func() (reply[Object], error)) (reply[Object], error) {
	c.mu.Lock()
	found, ok := c.made[k]
	c.mu.Unlock()
	if ok {
		return found.body, found.err
	}
	body, err := make()
	if err == nil || fault.As(err).Code == codeNotDescribed {
		c.put(k, madeDocument{body, err})
	}
	return body, err
}

func (c *documentCache) put(k documentKey, d madeDocument) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made == nil || len(c.made) >= maxDocuments || c.size+len(d.body) > maxDocumentsSize {
		c.made, c.size = map[documentKey]madeDocument{}, 0
	}
	if _, there := c.made[k]; !there {
		c.made[k] = d
		c.size += len(d.body)
	}
}
