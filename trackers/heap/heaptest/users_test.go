package heaptest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/trackers/heap/heaptest"
)

// Each rule of the calls about users bites (add-user-properties and identify-1 of
// Heap's reference).
func TestEachRuleAboutUsersBites(t *testing.T) {
	user := `{"identity":"u","properties":{"plan":"pro"}}`
	users := func(list ...string) string {
		return `{"app_id":"1","users":[` + strings.Join(list, ",") + `]}`
	}
	const told, bound = "/api/add_user_properties", "/api/v1/identify"
	for name, try := range map[string]struct{ path, body string }{
		"not JSON":                {told, "{"},
		"no app_id":               {told, `{"users":[` + user + `]}`},
		"no users":                {told, users()},
		"1001 users":              {told, users(strings.Split(strings.Repeat(user+"|", 1001), "|")[:1001]...)},
		"nobody":                  {told, users(`{"properties":{"plan":"pro"}}`)},
		"identity too long":       {told, users(strings.Replace(user, `"u"`, `"`+strings.Repeat("u", 256)+`"`, 1))},
		"no properties":           {told, users(`{"identity":"u","properties":{}}`)},
		"id":                      {told, users(strings.Replace(user, "plan", "ID", 1))},
		"user_id as a property":   {told, users(strings.Replace(user, "plan", "user_id", 1))},
		"Email":                   {told, users(strings.Replace(user, "plan", "Email", 1))},
		"a boolean":               {told, users(strings.Replace(user, `"pro"`, "true", 1))},
		"a value too long":        {told, users(strings.Replace(user, "pro", strings.Repeat("x", 1024), 1))},
		"unknown member":          {told, users(strings.Replace(user, `"identity"`, `"user_id":"1","identity"`, 1))},
		"identify without number": {bound, `{"app_id":"1","identity":"u"}`},
		"identify above 2^53":     {bound, `{"app_id":"1","identity":"u","user_id":"9007199254740992"}`},
		"identify nobody":         {bound, `{"app_id":"1","user_id":"1"}`},
	} {
		t.Run(name, func(t *testing.T) {
			fake := heaptest.New(heaptest.Options{})
			if code := send(fake, http.MethodPost, try.path, "application/json", try.body); code != http.StatusBadRequest || fake.Users.Total() != 0 || fake.Violations.Total() == 0 {
				t.Errorf("status %d, %d told", code, fake.Users.Total())
			}
		})
	}
	fake := heaptest.New(heaptest.Options{})
	for path, body := range map[string]string{told: users(user), bound: `{"app_id":"1","identity":"u","user_id":"1"}`} {
		if code := send(fake, http.MethodPost, path, "application/json", body); code != http.StatusOK {
			t.Errorf("%s: status %d, %v", path, code, fake.Violations.First())
		}
	}
	if code := send(fake, http.MethodPost, told, "text/plain", users(user)); code != http.StatusBadRequest || fake.Users.Total() != 2 {
		t.Errorf("text/plain: status %d; %d told", code, fake.Users.Total())
	}
}
