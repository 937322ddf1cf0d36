package com.amazonaws.services.lambda.runtime.api.client.runtimeapi;

import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.dto.InvocationRequest;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * Calls the Runtime API in place of the native library of AWS's client. That library exists only for Linux, and each
 * start writes it to the same file in /tmp, where concurrent starts would overwrite it. A plain socket is invisible to
 * agents that record HTTP clients.
 */
final class NativeClient {
    private static final String PREFIX = "/2018-06-01/runtime/invocation/";
    private static final int MAX_LINE_BYTES = 1024 * 1024;

    private static String host;
    private static int port;

    private NativeClient() {}

    static void init(String runtimeApi) {
        int colon = runtimeApi.lastIndexOf(':');
        host = runtimeApi.substring(0, colon);
        port = Integer.parseInt(runtimeApi.substring(colon + 1));
    }

    /** Waits for the next event without a limit. */
    static InvocationRequest next() {
        Response response = call("GET", PREFIX + "next", new byte[0]);
        if (response.status != 200) throw new LambdaRuntimeClientException("Failed to get next.", response.status);
        InvocationRequest request = new InvocationRequest();
        request.setId(response.headers.get("lambda-runtime-aws-request-id"));
        request.setXrayTraceId(response.headers.get("lambda-runtime-trace-id"));
        request.setInvokedFunctionArn(response.headers.get("lambda-runtime-invoked-function-arn"));
        request.setDeadlineTimeInMs(Long.parseLong(response.headers.getOrDefault("lambda-runtime-deadline-ms", "0")));
        request.setClientContext(response.headers.get("lambda-runtime-client-context"));
        request.setCognitoIdentity(response.headers.get("lambda-runtime-cognito-identity"));
        request.setContent(response.body);
        return request;
    }

    static void postInvocationResponse(byte[] requestId, byte[] response) {
        int status = call("POST", PREFIX + new String(requestId, UTF_8) + "/response", response).status;
        // 413: the platform itself reports a response that is too large.
        if (status / 100 != 2 && status != 413) {
            throw new LambdaRuntimeClientException("Failed to post invocation response.", status);
        }
    }

    /** One connection a call: the end of the stream is the end of the response. */
    private static Response call(String method, String path, byte[] body) {
        String head = method + " " + path + " HTTP/1.1\r\nHost: " + host + ":" + port
            + "\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " + body.length + "\r\n\r\n";
        try (Socket socket = new Socket(host, port)) {
            OutputStream out = socket.getOutputStream();
            out.write(head.getBytes(ISO_8859_1));
            out.write(body);
            out.flush();
            return read(socket.getInputStream());
        } catch (IOException e) {
            throw new UncheckedIOException(method + " " + path, e);
        }
    }

    private static Response read(InputStream in) throws IOException {
        int status = Integer.parseInt(readLine(in).split(" ")[1]);
        Map<String, String> headers = new HashMap<>();
        for (String line = readLine(in); !line.isEmpty(); line = readLine(in)) {
            int colon = line.indexOf(':');
            headers.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).trim());
        }
        // Only an event has a length, and only its body is used.
        byte[] body = new byte[Integer.parseInt(headers.getOrDefault("content-length", "0"))];
        new DataInputStream(in).readFully(body);
        return new Response(status, headers, body);
    }

    private static String readLine(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0 || line.size() > MAX_LINE_BYTES) throw new IOException("The Runtime API closed the connection.");
            if (next != '\r') line.write(next);
        }
        return new String(line.toByteArray(), UTF_8);
    }

    private static final class Response {
        final int status;
        final Map<String, String> headers;
        final byte[] body;

        Response(int status, Map<String, String> headers, byte[] body) {
            this.status = status;
            this.headers = headers;
            this.body = body;
        }
    }
}
