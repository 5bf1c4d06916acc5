// Command s3 serves a folder as S3, for tests: Versity's gateway over its POSIX backend. It is a module of its
// own, so that Casehook's has none of its dependencies.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/versity/versitygw/auth"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/s3api"
	"github.com/versity/versitygw/s3api/middlewares"
)

// most is how many connections and requests there may be at once.
const most = 1000

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: s3 HOST:PORT DIR, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
		os.Exit(2)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // it ends when the test does
		os.Exit(0)
	}()
	if err := serve(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve serves the folders in DIR/buckets as buckets, and prints "ready" when it listens. The metadata of objects
// is in DIR/meta, because not every file system has extended attributes.
func serve(address, dir string) error {
	buckets, beside := filepath.Join(dir, "buckets"), filepath.Join(dir, "meta")
	for _, made := range []string{buckets, beside} {
		if err := os.MkdirAll(made, 0o700); err != nil {
			return err
		}
	}
	objects, err := meta.NewSideCar(beside)
	if err != nil {
		return err
	}
	backend, err := posix.New(buckets, objects, posix.PosixOpts{SideCarDir: beside})
	if err != nil {
		return err
	}
	root := middlewares.RootUserConfig{
		Access: os.Getenv("AWS_ACCESS_KEY_ID"), Secret: os.Getenv("AWS_SECRET_ACCESS_KEY"),
	}
	accounts := auth.NewIAMServiceSingle(auth.Account{Access: root.Access, Secret: root.Secret, Role: auth.RoleAdmin})
	server, err := s3api.New(backend, root, "us-east-1", accounts, nil, nil, nil, nil,
		s3api.WithQuiet(), s3api.WithKeepAlive(), s3api.WithConcurrencyLimiter(most, most),
		s3api.WithMpMaxParts(10_000), s3api.WithOnListen(func() { fmt.Println("ready") }))
	if err != nil {
		return err
	}
	return server.ServeMultiPort([]string{address})
}
