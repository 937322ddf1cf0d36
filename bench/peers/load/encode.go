package main

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
)

// A format turns spans into the body of one request.
type format struct {
	contentType string
	encode      func([]span) []byte
	// 500 spans are a batch of OpenTelemetry's SDKs; X-Ray allows 50 documents a call, and a trace has three.
	tracesARequest int
}

var formats = map[string]format{
	"otlp":   {"application/x-protobuf", otlpRequest, 50},
	"zipkin": {"application/json", zipkinRequest, 50},
	"xray":   {"application/json", xrayRequest, 16},
}

// Fields of protobuf messages, by their numbers in OpenTelemetry's trace.proto and common.proto.

func bytesField(out []byte, field int, value []byte) []byte {
	out = binary.AppendUvarint(out, uint64(field<<3|2))
	out = binary.AppendUvarint(out, uint64(len(value)))
	return append(out, value...)
}

func textField(out []byte, field int, value string) []byte {
	return bytesField(out, field, []byte(value))
}

func varintField(out []byte, field int, value uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(out, uint64(field<<3)), value)
}

func fixed64Field(out []byte, field int, value uint64) []byte {
	return binary.LittleEndian.AppendUint64(binary.AppendUvarint(out, uint64(field<<3|1)), value)
}

func fixed32Field(out []byte, field int, value uint32) []byte {
	return binary.LittleEndian.AppendUint32(binary.AppendUvarint(out, uint64(field<<3|5)), value)
}

func keyValue(a attribute) []byte {
	var value []byte
	if a.isNumber {
		value = varintField(nil, 3, uint64(a.number))
	} else {
		value = textField(nil, 1, a.text)
	}
	return bytesField(textField(nil, 1, a.key), 2, value)
}

// Sampled, and whether the parent is remote is known; the third bit says that it is.
const (
	flagsLocal  = 0x101
	flagsRemote = 0x301
)

func otlpSpan(s span) []byte {
	out := bytesField(nil, 1, s.traceID[:])
	out = bytesField(out, 2, s.id[:])
	if !s.isRoot {
		out = bytesField(out, 4, s.parent[:])
	}
	out = textField(out, 5, s.name)
	out = varintField(out, 6, uint64(s.kind))
	out = fixed64Field(out, 7, uint64(s.startNs))
	out = fixed64Field(out, 8, uint64(s.endNs))
	for _, a := range s.attributes {
		out = bytesField(out, 9, keyValue(a))
	}
	if s.isFault {
		const statusCodeError = 2
		out = bytesField(out, 15, varintField(textField(nil, 2, "boom"), 3, statusCodeError))
	}
	if s.hasRemoteParent {
		return fixed32Field(out, 16, flagsRemote)
	}
	return fixed32Field(out, 16, flagsLocal)
}

func otlpRequest(spans []span) []byte {
	var out []byte
	for _, group := range byService(spans) {
		var resource []byte
		for _, a := range resourceOf(group[0].service) {
			resource = bytesField(resource, 1, keyValue(a))
		}
		scope := textField(textField(nil, 1, "go.opentelemetry.io/contrib/otelhttp"), 2, "0.63.0")
		scopeSpans := bytesField(nil, 1, scope)
		for _, s := range group {
			scopeSpans = bytesField(scopeSpans, 2, otlpSpan(s))
		}
		out = bytesField(out, 1, bytesField(bytesField(nil, 1, resource), 2, scopeSpans))
	}
	return out
}

// The spans of each service, services in the order of their first span.
func byService(spans []span) [][]span {
	place := map[int]int{}
	var groups [][]span
	for _, s := range spans {
		at, isKnown := place[s.service]
		if !isKnown {
			at = len(groups)
			place[s.service] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], s)
	}
	return groups
}

type zipkinEndpoint struct {
	ServiceName string `json:"serviceName"`
}

type zipkinSpan struct {
	TraceID   string            `json:"traceId"`
	ID        string            `json:"id"`
	ParentID  string            `json:"parentId,omitempty"`
	Name      string            `json:"name"`
	Kind      string            `json:"kind,omitempty"`
	Timestamp int64             `json:"timestamp"`
	Duration  int64             `json:"duration"`
	Local     zipkinEndpoint    `json:"localEndpoint"`
	Remote    *zipkinEndpoint   `json:"remoteEndpoint,omitempty"`
	Tags      map[string]string `json:"tags"`
}

var zipkinKinds = map[int]string{kindServer: "SERVER", kindClient: "CLIENT"}

func zipkinRequest(spans []span) []byte {
	out := make([]zipkinSpan, len(spans))
	for i, s := range spans {
		one := zipkinSpan{
			TraceID: hex.EncodeToString(s.traceID[:]), ID: hex.EncodeToString(s.id[:]), Name: s.name,
			Kind: zipkinKinds[s.kind], Timestamp: s.startNs / 1000, Duration: max(1, (s.endNs-s.startNs)/1000),
			Local: zipkinEndpoint{serviceName(s.service)}, Tags: map[string]string{},
		}
		if !s.isRoot {
			one.ParentID = hex.EncodeToString(s.parent[:])
		}
		if s.callee != "" {
			one.Remote = &zipkinEndpoint{s.callee}
		}
		for _, a := range s.attributes {
			one.Tags[a.key] = a.text
			if a.isNumber {
				one.Tags[a.key] = strconv.FormatInt(a.number, 10)
			}
		}
		if s.isFault {
			one.Tags["error"] = "boom"
		}
		out[i] = one
	}
	return mustJSON(out)
}

// The spans of a service in a trace are one segment; its root is the segment, the others are subsegments.
func xrayRequest(spans []span) []byte {
	var documents []string
	for first := 0; first < len(spans); first += spansPerTrace {
		trace := spans[first : first+spansPerTrace]
		for i, s := range trace {
			if s.isRoot || s.hasRemoteParent {
				segment := xrayEntity(trace, i)
				id := hexOf(trace)
				segment["trace_id"] = "1-" + id[:8] + "-" + id[8:]
				segment["service"] = map[string]string{"version": fmt.Sprintf("1.4.%d", s.service)}
				if !s.isRoot {
					segment["parent_id"] = hex.EncodeToString(s.parent[:])
				}
				documents = append(documents, string(mustJSON(segment)))
			}
		}
	}
	return mustJSON(map[string][]string{"TraceSegmentDocuments": documents})
}

func xrayEntity(trace []span, index int) map[string]any {
	s := trace[index]
	annotations, metadata := map[string]any{}, map[string]any{}
	for i, a := range s.attributes {
		key, into := a.key, metadata
		if i < 4 {
			key, into = annotationKey(a.key), annotations
		}
		if a.isNumber {
			into[key] = a.number
		} else {
			into[key] = a.text
		}
	}
	status := 200
	if s.isFault {
		status = 500
	}
	entity := map[string]any{
		"id": hex.EncodeToString(s.id[:]), "name": s.name,
		"start_time": float64(s.startNs/1000) / 1e6, "end_time": float64(s.endNs/1000) / 1e6,
		"annotations": annotations, "metadata": map[string]any{"default": metadata}, "fault": s.isFault,
	}
	if s.kind == kindServer {
		entity["name"] = serviceName(s.service)
		entity["http"] = map[string]any{
			"request":  map[string]any{"method": "GET", "url": "https://" + serviceName(s.service) + ".internal/"},
			"response": map[string]any{"status": status},
		}
	} else if s.callee != "" {
		entity["name"] = s.callee
		entity["namespace"] = "remote"
		entity["http"] = map[string]any{
			"request":  map[string]any{"method": "GET", "url": "https://" + s.callee + ".internal/x"},
			"response": map[string]any{"status": status},
		}
	}
	var below []map[string]any
	for i, child := range trace {
		if !child.isRoot && child.parent == s.id && child.service == s.service {
			below = append(below, xrayEntity(trace, i))
		}
	}
	if below != nil {
		entity["subsegments"] = below
	}
	return entity
}

// X-Ray allows letters, digits and underscores: `order.id` is `order_id`.
func annotationKey(key string) string {
	out := []byte(key)
	for i, c := range out {
		if c == '.' {
			out[i] = '_'
		}
	}
	return string(out)
}

func mustJSON(value any) []byte {
	out, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return out
}
