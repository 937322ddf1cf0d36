package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand"
)

const (
	spansPerTrace = 10
	serviceCount  = 50
	faultShare    = 0.03
	// The kinds of OpenTelemetry's spans.
	kindInternal = 1
	kindServer   = 2
	kindClient   = 3
)

// A value is text, or a whole number when isNumber.
type attribute struct {
	key      string
	text     string
	number   int64
	isNumber bool
}

type span struct {
	traceID    [16]byte
	id, parent [8]byte
	isRoot     bool
	// The caller is in another service.
	hasRemoteParent bool
	name            string
	kind            int
	startNs, endNs  int64
	attributes      []attribute
	service         int
	isFault         bool
	// Name of the called service; empty when the span calls none.
	callee string
}

// A data set is generated: the same fields give the same traces.
type dataset struct {
	seed       int64
	traceCount int
	// The traces start evenly over [fromNs, toNs), the oldest first.
	fromNs, toNs int64
	// X-Ray's ids begin with the second of the start.
	hasTimedIDs bool
}

func serviceName(index int) string { return fmt.Sprintf("service-%02d", index) }

func text(key, value string) attribute { return attribute{key: key, text: value} }

func number(key string, value int64) attribute {
	return attribute{key: key, number: value, isNumber: true}
}

var routes = []string{"/orders", "/orders/{id}", "/users/{id}", "/search", "/checkout", "/health"}

// The spans of a trace: the index of the parent, the place of the service among the three of the trace.
var shape = [spansPerTrace]struct {
	parent, service, kind int
	name                  string
}{
	{-1, 0, kindServer, "GET"},
	{0, 0, kindInternal, "validate"},
	{0, 0, kindClient, "GET"},
	{2, 1, kindServer, "GET /internal"},
	{3, 1, kindClient, "SELECT orders"},
	{3, 1, kindClient, "POST"},
	{5, 2, kindServer, "POST /work"},
	{6, 2, kindClient, "GET cache"},
	{6, 2, kindClient, "INSERT work"},
	{0, 0, kindInternal, "render"},
}

// Ten spans over three services with eleven attributes each, a parent before its children.
func (d dataset) trace(index int) []span {
	random := rand.New(rand.NewSource(d.seed*1_000_003 + int64(index)))
	startNs := d.fromNs + int64(float64(index)/float64(d.traceCount)*float64(d.toNs-d.fromNs))
	var traceID [16]byte
	random.Read(traceID[:])
	if d.hasTimedIDs {
		binary.BigEndian.PutUint32(traceID[:], uint32(startNs/1e9))
	}
	first := random.Intn(serviceCount)
	// Distances below a third of the services keep the three services different.
	second := (first + 1 + random.Intn(serviceCount/3)) % serviceCount
	third := (second + 1 + random.Intn(serviceCount/3)) % serviceCount
	services := [3]int{first, second, third}
	user := random.Intn(d.traceCount/10 + 1)
	common := []attribute{
		text("tenant", fmt.Sprintf("tenant-%d", user%50)),
		text("user.id", fmt.Sprintf("u%d", user)),
		text("tier", []string{"gold", "silver", "bronze"}[user%3]),
		text("order.id", d.orderID(index)),
	}
	route := routes[random.Intn(len(routes))]
	isFault := random.Float64() < faultShare
	spans := make([]span, len(shape))
	for k, one := range shape {
		s := &spans[k]
		s.traceID = traceID
		random.Read(s.id[:])
		s.isRoot = one.parent < 0
		s.name, s.kind, s.service = one.name, one.kind, services[one.service]
		if s.isRoot {
			s.name += " " + route
		} else {
			s.parent = spans[one.parent].id
			s.hasRemoteParent = spans[one.parent].service != s.service
		}
		s.startNs = startNs + int64(k)*200_000
		// Mostly near a third of a millisecond, sometimes up to fifty times as long.
		s.endNs = s.startNs + int64(300e3*math.Exp(4*math.Pow(random.Float64(), 2)))*int64(spansPerTrace+1-k)
		s.isFault = isFault && (k == 0 || k == 2 || k == 3)
		switch k {
		case 2:
			s.callee = serviceName(services[1])
		case 5:
			s.callee = serviceName(services[2])
		}
		s.attributes = append(append([]attribute{}, common...),
			number("attempt", int64(1+random.Intn(20)/19)),
			number("thread.id", int64(random.Intn(64))),
			number("queue.wait_us", int64(random.Intn(5000))))
		s.attributes = append(s.attributes, ownAttributes(*s, route, user, random)...)
	}
	return spans
}

// Four attributes of the semantic conventions, by the kind of the span.
func ownAttributes(s span, route string, user int, random *rand.Rand) []attribute {
	status := int64(200)
	if s.isFault {
		status = 500
	}
	switch {
	case s.kind == kindServer:
		return []attribute{text("http.request.method", "GET"), text("url.path", route),
			number("http.response.status_code", status), text("server.address", serviceName(s.service)+".internal")}
	case s.kind == kindClient && s.callee != "":
		return []attribute{text("http.request.method", "GET"), text("url.full", "http://"+s.callee+".internal/x"),
			number("http.response.status_code", status), text("server.address", s.callee+".internal")}
	case s.kind == kindClient:
		return []attribute{text("db.system.name", "postgresql"), text("db.query.text", s.name+" WHERE id = ?"),
			text("server.address", "db-"+serviceName(s.service)), number("server.port", 5432)}
	default:
		pod := fmt.Sprintf("%s-7d9f-%d", serviceName(s.service), (user+s.service)%4)
		return []attribute{text("code.function.name", s.name), text("feature.flag", "on"),
			number("items", int64(random.Intn(40))), text("k8s.pod.name", pod)}
	}
}

// Only this trace has it.
func (d dataset) orderID(index int) string { return fmt.Sprintf("o-%d-%d", d.seed, index) }

// The attributes that all spans of a service share.
func resourceOf(service int) []attribute {
	return []attribute{
		text("service.name", serviceName(service)),
		text("service.version", fmt.Sprintf("1.4.%d", service)),
		text("deployment.environment.name", "production"),
		text("telemetry.sdk.name", "opentelemetry"),
		text("telemetry.sdk.language", "go"),
		text("telemetry.sdk.version", "1.38.0"),
		text("host.name", fmt.Sprintf("ip-10-0-%d-%d", service%4, service)),
	}
}

func hexOf(spans []span) string { return hex.EncodeToString(spans[0].traceID[:]) }
