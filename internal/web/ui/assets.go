package ui

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"strings"
	"sync"

	"github.com/casehook/casehook/internal/api/rest"
)

//go:embed assets
var embedded embed.FS

// assets returns the files, and the path they are served at. The path has their hash, so that browsers keep them
// until they change.
var assets = sync.OnceValues(func() (fs.FS, string) {
	files, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic(err)
	}
	hash := sha256.New()
	err = fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		hash.Write([]byte(path))
		hash.Write(text)
		return err
	})
	if err != nil {
		panic(err)
	}
	return files, "/assets/" + hex.EncodeToString(hash.Sum(nil)[:8]) + "/"
})

// Asset returns the URL of an embedded file.
func Asset(name string) string {
	_, path := assets()
	return path + name
}

// serveAssets serves the embedded files.
func serveAssets(k *rest.Kernel) {
	files, path := assets()
	handler := http.StripPrefix(path, http.FileServerFS(files))
	k.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		handler.ServeHTTP(w, r)
	})
}
