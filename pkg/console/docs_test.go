package console_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/console"
)

const document = `{"openapi":"3.1.0","info":{"title":"Sparrow & co","version":"1","description":"First.\n\nSecond with ` + "`code`" + ` and **bold**.\n\n- one\n- two"},
"paths":{
 "/v1/events":{"parameters":[{"$ref":"#/components/parameters/Key"}],
  "post":{"summary":"Send events","security":[{"inURL":[]},{"inHeader":[]},{"nowhere":[]}],"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Event"},"examples":{"one":{"summary":"One event","value":{"n":12345678901234567890}}}}}},
   "responses":{"200":{"description":"durable","headers":{"X-Request-Id":{"schema":{"type":"string"},"description":"of the request"}},"content":{"application/json":{"schema":{"type":"object","properties":{"accepted":{"type":"integer","minimum":1}}},"example":{"accepted":1}}}},"429":{"$ref":"#/components/responses/Busy"}}}},
 "/a~b/{id}":{"get":{"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":["string","null"],"enum":["x","y"]}}],"responses":{}}}},
"components":{"securitySchemes":{"inURL":{"type":"apiKey","in":"query","name":"k","description":"a key in the URL"},"inHeader":{"type":"http","scheme":"bearer","description":"a key in a header"}},"parameters":{"Key":{"name":"key","in":"query","schema":{"type":"string","maxLength":64},"description":"the write key"}},
 "responses":{"Busy":{"description":"over the rate"}},
 "schemas":{"Event":{"type":"object","required":["event"],"properties":{"event":{"type":"string","minLength":1},"context":{"type":"object","properties":{"page":{"type":"object","properties":{"url":{"type":"string"}}}}},"tags":{"type":"array","items":{"$ref":"#/components/schemas/Tag.v1"}}}},"Tag.v1":{"oneOf":[{"type":"string"},{"type":"integer"}]}}}}`

func render(t *testing.T, openapi string) string {
	t.Helper()
	h, err := console.Docs([]byte(openapi))
	if err != nil {
		t.Fatal(err)
	}
	return checkPage(t, do(t, h, "GET", "/docs"))
}

func TestDocs(t *testing.T) {
	page := render(t, document)
	for name, want := range map[string]string{
		"title, escaped":             "Sparrow &amp; co",
		"paragraphs":                 "<p>First.</p><p>Second with <code>code</code> and <strong>bold</strong>.</p>",
		"list":                       "<ul><li>one</li><li>two</li></ul>",
		"operation":                  `<section id="post--v1-events">`,
		"parameter by reference":     "the write key",
		"key":                        "a key in the URL",
		"key in a header":            "<code>Authorization</code> <span class=\"quiet\">in header</span>",
		"summary among the contents": `<span class="quiet">Send events</span>`,
		"limit in words":             "at most 64 characters",
		"answer by reference":        "over the rate",
		"header":                     "X-Request-Id",
		"example":                    "One event",
		"numbers as they are":        "12345678901234567890",
		"link to a schema":           `href="#schema-Event"`,
		"field inside fields":        "context.page.url",
		"items of another schema":    `<a href="#schema-Tag-v1">array of Tag.v1</a>`,
		"place the link leads to":    `id="schema-Tag-v1"`,
		"several types":              "string or null",
		"values":                     "one of x, y",
		"required":                   "required",
		"the order of the document":  "/v1/events",
		"path with a reserved tilde": "/a~b/{id}",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s: page lacks %s", name, want)
		}
	}
	if strings.Index(page, "post--v1-events") > strings.Index(page, "get--a-b--id") {
		t.Error("operations are not in the document's order")
	}
}

func TestDocsRefusesWhatIsNoDocument(t *testing.T) {
	for name, openapi := range map[string]string{
		"empty":        "",
		"yaml":         "openapi: 3.1.0",
		"truncated":    document[:len(document)-1],
		"scalar":       "1",
		"no paths":     `{"openapi":"3.1.0"}`,
		"deep nesting": strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000),
		"too large":    `{"openapi":"3.1.0","paths":{},"x":"` + strings.Repeat("x", 4<<20) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := console.Docs([]byte(openapi)); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestDocsSurvivesHostileDocuments(t *testing.T) {
	const evil = `<img src=x onerror=alert(1)>`
	for name, openapi := range map[string]string{
		"a circle of references": `{"openapi":"3.1.0","paths":{"/a":{"$ref":"#/components/b"}},"components":{"b":{"$ref":"#/components/b"},"schemas":{"A":{"items":{"$ref":"#/components/schemas/A"}}}}}`,
		"wrong kinds":            `{"openapi":3,"info":[],"paths":{"/a":[1],"/b":{"get":{"parameters":{"x":1},"requestBody":"no","responses":[1,2]}}},"components":{"schemas":{"A":true,"B":{"type":7,"properties":[],"required":"x","enum":{}}}}}`,
		"markup everywhere":      `{"openapi":"3.1.0","info":{"title":"` + evil + `","description":"` + "`" + evil + "` **" + evil + `"},"paths":{"` + evil + `":{"get":{"summary":"` + evil + `","responses":{"` + evil + `":{"description":"` + evil + `","content":{"` + evil + `":{"example":"` + evil + `"}}}}}}}}`,
		"marks without partners": "{\"openapi\":\"3.1.0\",\"info\":{\"description\":\"a ` b ** c\"},\"paths\":{}}",
		"deep schema":            `{"openapi":"3.1.0","paths":{},"components":{"schemas":{"A":` + strings.Repeat(`{"properties":{"a":`, 2000) + `{}` + strings.Repeat(`}}`, 2000) + `}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if page := render(t, openapi); strings.Contains(page, "<img") {
				t.Error("markup of the document reached the page")
			}
		})
	}
}

func FuzzDocs(f *testing.F) {
	f.Add([]byte(document))
	f.Add([]byte(`{"openapi":"","paths":{"":{"get":{}}}}`))
	f.Fuzz(func(t *testing.T, openapi []byte) {
		h, err := console.Docs(openapi)
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/docs", nil))
		if w.Code != 200 {
			t.Errorf("answer %d", w.Code)
		}
	})
}
