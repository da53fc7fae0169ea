// Package sanitizer finds personal data and secrets in what is about to leave,
// and replaces each by its kind in brackets: "write to jane@example.com"
// becomes "write to [email]".
//
// It finds, in text of any length and also percent-encoded, written with HTML
// or JSON escapes, full-width characters or invisible ones in between:
//
//	email        also "jane (at) example (dot) com"; not "icon@2x.png", "react@18.2.0"
//	phone        "+" or "00" and a country code; national forms with separators:
//	             (415) 555-2671, 030/1234567, 01 23 45 67 89. Bare digits are an
//	             order number, except 07..., 015..., 016..., 017... of 11 digits
//	card         13-19 digits in the groups cards have, a known issuer, Luhn
//	iban         a known country, its length, mod 97
//	ssn          123-45-6789, in the ranges that are given out
//	ip           IPv4 and IPv6. Four numbers with dots are a version, and stay,
//	             after a word such as version, build or v, in a product's name as
//	             user agents have it (Chrome/141.0.0.0), or where the property's
//	             name says so
//	jwt          eyJ... with two or three dots
//	token        "Bearer ...", "Token ...", "ApiKey ...", and "Basic ..." with base64 of
//	             user:password
//	key          well-known API keys (AWS, GitHub, Stripe, ...), by gitleaks' rules
//	             and our own: see rules
//	private-key  PEM, also cut off
//	secret       the value of a name that ends in password, secret, token, api_key
//
// and in URLs, absolute or from the path on, also within text:
//
//	credentials  user:password@ is removed
//	query        parameters not on the allowlist are removed
//	fragment     is removed
//
// as well as patterns of the operator's own. It promises that what it returns has
// nothing left that it would find, unless a kind is exempted; that its time is
// linear in the length of the input; that valid UTF-8 stays valid; and that an
// ordinary short string costs one read of each byte and no allocation.
//
// It recognises shapes. It does not know people's names or postal addresses, and it
// takes an order number that is a valid card number for a card.
package sanitizer
