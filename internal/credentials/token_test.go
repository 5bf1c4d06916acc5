package credentials

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/outbound"
)

// tokenServer is an OAuth2 server in memory: its nth token lasts so long.
type tokenServer struct {
	lasts time.Duration
	n     int
	fails bool
}

func (s *tokenServer) RoundTrip(*http.Request) (*http.Response, error) {
	s.n++
	status, text := 200, fmt.Sprintf(`{"access_token": "%d", "token_type": "bearer", "expires_in": %d}`, s.n,
		int(s.lasts.Seconds()))
	if s.fails {
		status, text = 503, "{}"
	}
	return &http.Response{
		StatusCode: status,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(strings.NewReader(text)),
	}, nil
}

func tokensOf(s *tokenServer) *tokenSource {
	return newTokenSource(s,
		endpoint.Auth{
			Kind: endpoint.OAuth2Auth, TokenURL: "https://id.example/token", ClientID: "x", ClientSecret: "y",
		})
}

func TestTokensAreReplacedBeforeTheyEnd(t *testing.T) {
	for lasts, used := range map[time.Duration]time.Duration{
		time.Hour:        time.Hour - tokenMargin,
		40 * time.Second: 20 * time.Second, // half of its lifetime
		0:                tokenUnknown,     // it does not say
	} {
		synctest.Test(t, func(t *testing.T) {
			tokens := tokensOf(&tokenServer{lasts: lasts})
			for _, step := range []struct {
				wait  time.Duration
				token string
				fresh bool
			}{{0, "1", true}, {used - time.Second, "1", false}, {2 * time.Second, "2", true}} {
				time.Sleep(step.wait)
				token, fresh, err := tokens.get(t.Context(), time.Second, "")
				if err != nil || token != step.token || fresh != step.fresh {
					t.Errorf("of %v: token %s, fresh %v, %v; want %+v", lasts, token, fresh, err, step)
				}
			}
		})
	}
}

func TestATokenThatIsRefusedIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := tokensOf(&tokenServer{lasts: time.Hour})
		first, _, _ := tokens.get(t.Context(), time.Second, "")
		if second, fresh, err := tokens.get(t.Context(), time.Second, first); second == first || !fresh || err != nil {
			t.Errorf("the refused token %s is replaced by %s, fresh %v, %v", first, second, fresh, err)
		}
	})
}

func TestAFailureToGetATokenCountsForASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &tokenServer{lasts: time.Hour, fails: true}
		tokens := tokensOf(server)
		for _, step := range []struct {
			wait  time.Duration
			asked int
		}{{0, 1}, {tokenPause / 2, 1}, {tokenPause, 2}} {
			time.Sleep(step.wait)
			_, _, err := tokens.get(t.Context(), time.Second, "")
			if err == nil || err.class != outbound.Credentials || server.n != step.asked {
				t.Errorf("after %v: asked %d times, %v; want %d", step.wait, server.n, err, step.asked)
			}
		}
	})
}
