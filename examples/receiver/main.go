// Receiver is a small receiver of webhooks, and a callback that may refuse a
// change before it is saved. It needs nothing but the standard library.
//
//	WEBHOOK_SECRET=whsec_... CALLBACK_SECRET=whsec_... go run ./examples/receiver
//
// It takes webhooks at / and is asked at /callback, by the case type in
// examples/leave.yaml.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

func main() {
	address := flag.String("listen", "127.0.0.1:9900", "where to listen")
	flag.Parse()
	log.SetFlags(0)
	told := &receiver{secret: os.Getenv("WEBHOOK_SECRET"), seen: map[string]bool{}, newest: map[int64]int64{}}
	http.HandleFunc("POST /{$}", told.webhook)
	http.HandleFunc("POST /callback", callback(os.Getenv("CALLBACK_SECRET")))
	log.Printf("listening on http://%s", *address)
	log.Fatal(http.ListenAndServe(*address, nil))
}

// verify checks that a request was signed with secret, not long ago.
func verify(secret string, header http.Header, body []byte) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return errors.New("the secret is not whsec_ and base64")
	}
	id, timestamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return errors.New("the timestamp is missing, or too far from now")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, signature := range strings.Fields(header.Get("webhook-signature")) {
		if hmac.Equal([]byte(signature), []byte(want)) { // in constant time
			return nil
		}
	}
	return errors.New("no signature is right")
}

// receiver remembers what it has been told. A real one keeps this in its
// database, in the transaction that does what the webhook is about.
type receiver struct {
	secret string

	mu     sync.Mutex
	seen   map[string]bool // webhook-ids
	newest map[int64]int64 // versions, by case
}

func (r *receiver) webhook(w http.ResponseWriter, req *http.Request) {
	body, err := verified(r.secret, w, req)
	if err != nil {
		return
	}
	var told struct {
		Trigger string `json:"trigger"`
		CaseID  int64  `json:"case_id"`
		Name    string `json:"case_name"`
		Version int64  `json:"case_version"`
		Event   string `json:"event_name"` // a claim's, whose body is another
		Claim   struct {
			ID    int64  `json:"id"`
			Title string `json:"title"`
		} `json:"claim"`
	}
	if err := json.Unmarshal(body, &told); err != nil {
		http.Error(w, "this is not the JSON I know", http.StatusBadRequest)
		return
	}
	if told.Event != "" {
		told.Trigger, told.CaseID, told.Name = told.Event, told.Claim.ID, told.Claim.Title
		told.Version, _ = strconv.ParseInt(req.Header.Get("webhook-sequence"), 10, 64)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	id := req.Header.Get("webhook-id")
	switch {
	case r.seen[id]:
		log.Printf("%s of version %d again; nothing to do", told.Trigger, told.Version)
	case told.Version < r.newest[told.CaseID]:
		log.Printf("%s of version %d is old news", told.Trigger, told.Version)
	default:
		log.Printf("%s: %s, version %d", told.Trigger, told.Name, told.Version)
		r.newest[told.CaseID] = told.Version
	}
	r.seen[id] = true
	w.WriteHeader(http.StatusNoContent) // any 2xx: it is ours now
}

// callback refuses leave of more than 25 days, and accepts all else.
func callback(secret string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		body, err := verified(secret, w, req)
		if err != nil {
			return
		}
		var question struct {
			Case struct {
				Data struct {
					Days int `json:"days"`
				} `json:"case_data"`
			} `json:"case_details"`
		}
		if err := json.Unmarshal(body, &question); err != nil {
			http.Error(w, "this is not the JSON I know", http.StatusBadRequest)
			return
		}
		answer := map[string]any{}
		if days := question.Case.Data.Days; days > 25 {
			answer["errors"] = []string{fmt.Sprintf("Nobody gets %d days; 25 are the most.", days)}
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(answer)
	}
}

// verified reads the body of a request and refuses it if it is not Casehook's.
func verified(secret string, w http.ResponseWriter, req *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 4<<20))
	if err == nil {
		err = verify(secret, req.Header, body)
	}
	if err != nil {
		log.Printf("refused: %v", err)
		http.Error(w, err.Error(), http.StatusUnauthorized)
	}
	return body, err
}
