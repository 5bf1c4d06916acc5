// Package bucket keeps objects in a bucket of Amazon S3, or of another server that speaks its protocol, under one
// prefix.
//
// Its promises: memory is bounded by PartSize for each Put, whatever the size; an object appears as a whole or not at
// all; a request on which nothing moves for 20 seconds ends; errors are faults, by the server's code.
// Requests go straight to the server, and never through a proxy of the environment: a proxy that was meant for
// something else would see all contents.
//
// A process that dies in the middle of a large Put leaves parts that nobody sees and the provider counts. A lifecycle
// rule of the bucket (AbortIncompleteMultipartUpload) removes them.
package bucket

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/casehook/casehook/internal/fault"
)

// PartSize is the number of bytes that a request sends at most. Larger objects are sent in parts, of which S3 takes
// 10,000: 50,000 MiB.
const PartSize = 5 << 20

const (
	stallAfter = 20 * time.Second // without progress, a request ends
	tries      = 3                // of one request, if its failure may pass
	maxParts   = 10_000
)

// Bucket is the part of a bucket that is under a prefix. It is safe for concurrent use.
type Bucket struct {
	address   Address
	core      minio.Core
	transport *http.Transport
}

// Open returns the bucket at an address; it sends nothing. Credentials are those in the variables AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, as getenv returns them; without them at Amazon, those of the role that
// the machine has.
func Open(a Address, getenv func(string) string) (*Bucket, error) {
	return open(a, getenv, stallAfter)
}

func open(a Address, getenv func(string) string, stall time.Duration) (*Bucket, error) {
	keys, err := keysOf(a, getenv)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: stall}).DialContext,
		TLSHandshakeTimeout:   stall,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       30 * time.Second,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true, // the size of an object is that of its bytes
	}
	host, secure := a.host()
	options := &minio.Options{
		Creds:      keys,
		Secure:     secure,
		Region:     a.Region,
		Transport:  stallGuard{transport, stall},
		MaxRetries: tries,
	}
	if a.Endpoint != "" {
		options.BucketLookup = minio.BucketLookupPath
		if options.Region == "" {
			options.Region = "us-east-1"
		}
	}
	client, err := minio.New(host, options)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "bucket.address", "The address of the bucket can't be used.")
	}
	return &Bucket{a, minio.Core{Client: client}, transport}, nil
}

// keysOf returns the credentials for an address.
func keysOf(a Address, getenv func(string) string) (*credentials.Credentials, error) {
	id, secret := getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY")
	switch {
	case id != "" && secret != "":
		return credentials.NewStaticV4(id, secret, getenv("AWS_SESSION_TOKEN")), nil
	case id == "" && secret == "" && a.Endpoint == "":
		return credentials.NewIAM(""), nil
	}
	return nil, fault.New(fault.Invalid, "bucket.credentials",
		"The object storage needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.")
}

// Close closes idle connections.
func (b *Bucket) Close() error {
	b.transport.CloseIdleConnections()
	return nil
}

// Address returns the address.
func (b *Bucket) Address() Address { return b.address }

// Item is an object in a list.
type Item struct {
	Name     string // without the prefix of the address
	Size     int64  // bytes
	Modified time.Time
}

// Put reads r to its end and keeps it under a name, in place of an object that has it. It fails with the error of
// r, wrapped; then nothing is kept.
func (b *Bucket) Put(ctx context.Context, name string, r io.Reader) error {
	return b.put(ctx, name, r, minio.PutObjectOptions{})
}

// PutNew is Put that fails with fault.Conflict, code bucket.exists, if there is an object with this name.
func (b *Bucket) PutNew(ctx context.Context, name string, r io.Reader) error {
	mark := rand.Text()
	options := minio.PutObjectOptions{UserMetadata: map[string]string{markName: mark}}
	options.SetMatchETagExcept("*")
	err := b.put(ctx, name, r, options)
	if errors.Is(err, fault.Conflict) && b.marked(ctx, name, mark) {
		return nil // an earlier try had been carried out, and its answer was lost
	}
	return err
}

// markName names the metadata by which PutNew recognises an object of its own.
const markName = "Put"

func (b *Bucket) marked(ctx context.Context, name, mark string) bool {
	found, err := b.core.StatObject(ctx, b.address.Bucket, b.address.Prefix+name, minio.StatObjectOptions{})
	return err == nil && found.UserMetadata[markName] == mark
}

func (b *Bucket) put(ctx context.Context, name string, r io.Reader, options minio.PutObjectOptions) error {
	options.DisableContentSha256 = true // no signature for each chunk; that of the request covers sum
	part := make([]byte, 64<<10)        // most objects are small
	n, err := io.ReadFull(r, part)
	if err == nil {
		part = slices.Grow(part, PartSize-n)[:PartSize]
		var more int
		more, err = io.ReadFull(r, part[n:])
		n += more
	}
	switch {
	case ended(err):
		_, err := b.core.PutObject(ctx, b.address.Bucket, b.address.Prefix+name,
			bytes.NewReader(part[:n]), int64(n), "", sum(part[:n]), options)
		return b.fault(ctx, err)
	case err != nil:
		return fmt.Errorf("bucket: reading what to put: %w", err)
	}
	return b.putParts(ctx, name, part, r, options)
}

// ended reports whether io.ReadFull has read all that there is.
func ended(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }

// sum returns the hash of what a request sends, which its signature covers: the server refuses what was damaged.
func sum(part []byte) string {
	hash := sha256.Sum256(part)
	return hex.EncodeToString(hash[:])
}

// putParts puts an object of more than one part. The first has been read, and its memory serves for all.
func (b *Bucket) putParts(
	ctx context.Context, name string, part []byte, r io.Reader, options minio.PutObjectOptions,
) (err error) {
	object := b.address.Prefix + name
	upload, err := b.core.NewMultipartUpload(ctx, b.address.Bucket, object,
		minio.PutObjectOptions{UserMetadata: options.UserMetadata})
	if err != nil {
		return b.fault(ctx, err)
	}
	defer func() {
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			_ = b.core.AbortMultipartUpload(ctx, b.address.Bucket, object, upload) // else the lifecycle rule does
		}
	}()
	var parts []minio.CompletePart
	for n, last := len(part), error(nil); n > 0; {
		sent, err := b.core.PutObjectPart(ctx, b.address.Bucket, object, upload, len(parts)+1,
			bytes.NewReader(part[:n]), int64(n), minio.PutObjectPartOptions{
				Sha256Hex: sum(part[:n]), DisableContentSha256: true})
		if err != nil {
			return b.fault(ctx, err)
		}
		parts = append(parts, minio.CompletePart{PartNumber: sent.PartNumber, ETag: sent.ETag})
		if ended(last) {
			break
		}
		n, last = io.ReadFull(r, part)
		switch {
		case last != nil && !ended(last):
			return fmt.Errorf("bucket: reading what to put: %w", last)
		case n > 0 && len(parts) == maxParts:
			return fault.New(fault.TooLarge, "bucket.too_large",
				"An object has at most %d bytes.", int64(maxParts)*PartSize)
		}
	}
	_, err = b.core.CompleteMultipartUpload(ctx, b.address.Bucket, object, upload, parts, options)
	return b.fault(ctx, err)
}

// Get returns an object and its size in bytes; the caller closes it. It fails with fault.NotFound, code
// bucket.not_found. The errors of the reader are faults, too.
func (b *Bucket) Get(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	body, info, _, err := b.core.GetObject(ctx, b.address.Bucket, b.address.Prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, b.fault(ctx, err)
	}
	return object{body, b, ctx}, info.Size, nil
}

// object reads an object.
type object struct {
	io.ReadCloser
	bucket *Bucket
	ctx    context.Context
}

func (o object) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = o.bucket.fault(o.ctx, err)
	}
	return n, err
}

// List yields the objects whose names have a prefix, in the order of their names. After an error it ends.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		options := minio.ListObjectsOptions{Prefix: b.address.Prefix + prefix, Recursive: true}
		for found := range b.core.ListObjectsIter(ctx, b.address.Bucket, options) {
			if found.Err != nil {
				yield(Item{}, b.fault(ctx, found.Err))
				return
			}
			name := strings.TrimPrefix(found.Key, b.address.Prefix)
			if !yield(Item{name, found.Size, found.LastModified}, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(Item{}, err)
		}
	}
}

// Delete removes an object. A missing one is no error.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	err := b.core.RemoveObject(ctx, b.address.Bucket, b.address.Prefix+name, minio.RemoveObjectOptions{})
	if err = b.fault(ctx, err); errors.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// Probe writes an object with a new name, tries to write it a second time, reads and deletes it. So it finds out
// whether the bucket can be used, and whether the server keeps the promise of PutNew.
func (b *Bucket) Probe(ctx context.Context) error {
	name := "probe-" + strings.ToLower(rand.Text())
	if err := b.PutNew(ctx, name, strings.NewReader("probe")); err != nil {
		return err
	}
	err := b.tryProbe(ctx, name)
	return errors.Join(err, b.Delete(ctx, name))
}

func (b *Bucket) tryProbe(ctx context.Context, name string) error {
	err := b.PutNew(ctx, name, strings.NewReader("again"))
	switch {
	case err == nil:
		return fault.New(fault.Unavailable, "bucket.conditions",
			"The object storage ignores If-None-Match: it replaces objects that exist. Use one that honours it.")
	case !errors.Is(err, fault.Conflict):
		return err
	}
	r, _, err := b.Get(ctx, name)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return errors.Join(err, r.Close())
}
