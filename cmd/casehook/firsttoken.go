package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/mattn/go-isatty"

	"github.com/casehook/casehook/internal/server"
)

// tokenFileName is the file of the first token in the data directory.
const tokenFileName = "admin-token"

const firstStart = `This is the first start. Make your account in the console:

  %[2]s/setup#token=%[1]s

Programs use a token. Here is one with which you can do everything. It is shown this
once; keep it in a safe place:

  %[1]s

Try it:

  export CASEHOOK_TOKEN=%[1]s
  curl -H "Authorization: Bearer $CASEHOOK_TOKEN" %[2]s/v1/case-types

The API is explained at %[2]s/docs.

`

const firstStartFile = `This is the first start. A token with which you can do everything is in

  %[1]s

which only this user can read. Make your account in the console with it:

  %[2]s/setup

Try the API, and remove the file once the token is in a safe place:

  export CASEHOOK_TOKEN="$(cat %[1]s)"
  curl -H "Authorization: Bearer $CASEHOOK_TOKEN" %[2]s/v1/case-types

The API is explained at %[2]s/docs.

`

const firstStartNowhere = `The first start makes no token here, since standard output is no terminal. Make one:
  casehook token recover --database URL --key-file FILE
or name a file for it with --token-file.
`

// firstToken chooses where the token of the first start is written. The token may do everything, so it is never
// written to a possible log: standard output is used only if it is a terminal, or a file that only its owner can
// read.
func (c *serveCmd) firstToken(s stdio, config *server.Config) {
	file := c.TokenFile
	if file == "" && c.Database == "" {
		file = filepath.Join(c.Data, tokenFileName)
	}
	switch {
	case c.TokenFile == "" && private(s.out):
		config.FirstToken = func(url, bearer string) error {
			_, err := fmt.Fprintf(s.out, firstStart, bearer, url)
			return err
		}
	case file != "":
		config.FirstToken = func(url, bearer string) error {
			if err := writeToken(file, bearer); err != nil {
				return fmt.Errorf("writing the first token: %w; name another file with --token-file", err)
			}
			_, err := fmt.Fprintf(s.out, firstStartFile, file, url)
			return err
		}
	default:
		config.NoFirstToken = true
	}
}

// private reports whether only one person can read the output: w is a terminal, or a file with the mode 0600.
func private(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil {
		return false
	}
	return isatty.IsTerminal(f.Fd()) || info.Mode().IsRegular() && info.Mode().Perm()&0o077 == 0
}

// writeToken writes a token to a file that its owner alone can read. It replaces the file of an
// interrupted start.
func writeToken(path, bearer string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // does nothing once the file has moved
	_, err = fmt.Fprintln(f, bearer)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
