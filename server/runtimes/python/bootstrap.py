"""openray's runtime client for Python: takes events from the Lambda Runtime API and gives them to the user's handler.

One file, standard library only; runs on Python 3.8 and later. Started in the task root with the variables that
Lambda sets; `_HANDLER` names module and function.
"""

import datetime
import decimal
import http.client
import importlib
import json
import logging
import os
import re
import sys
import time
import traceback

RUNTIME = "/2018-06-01/runtime"
CAUSE_HEADER = "Lambda-Runtime-Function-XRay-Error-Cause"
TYPE_HEADER = "Lambda-Runtime-Function-Error-Type"
LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "WARN": 30, "WARNING": 30, "ERROR": 40, "FATAL": 50, "CRITICAL": 50}
IS_JSON_LOG = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"

# Of the event being handled.
request_id = None


class _Response(http.client.HTTPResponse):
    read = http.client.HTTPResponse.read


class _Connection(http.client.HTTPConnection):
    """Keeps the original methods: tracing libraries wrap them later, and must not trace the runtime's own calls."""

    request = http.client.HTTPConnection.request
    _send_request = http.client.HTTPConnection._send_request
    getresponse = http.client.HTTPConnection.getresponse
    response_class = _Response


class RuntimeApi:
    """One connection to the runner. Ends the process when the connection fails: without the runner there is no work."""

    def __init__(self, address):
        host, port = address.split(":")
        self._connection = _Connection(host, int(port))

    def call(self, method, path, body=None, headers=None):
        try:
            self._connection.request(method, RUNTIME + path, body, headers or {})
            response = self._connection.getresponse()
            return response.headers, response.read()
        except (OSError, http.client.HTTPException):
            os._exit(1)

    def post_error(self, path, error, headers=None):
        body = json.dumps(error["body"])
        self.call("POST", path, body, {"Content-Type": "application/json", CAUSE_HEADER: error["cause"], **(headers or {})})


class RuntimeFailure(Exception):
    """An error of the runtime itself, before the user's code."""

    def __init__(self, error_type, message):
        super().__init__(message)
        self.error_type = error_type


class LambdaContext:
    """The second argument of a handler."""

    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.invoked_function_arn = headers.get("Lambda-Runtime-Invoked-Function-Arn")
        self.tenant_id = headers.get("Lambda-Runtime-Aws-Tenant-Id")
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])
        client = headers.get("Lambda-Runtime-Client-Context")
        self.client_context = _client_context(json.loads(client)) if client else None
        identity = json.loads(headers.get("Lambda-Runtime-Cognito-Identity") or "{}")
        self.identity = _Fields(
            cognito_identity_id=identity.get("cognitoIdentityId"),
            cognito_identity_pool_id=identity.get("cognitoIdentityPoolId"),
        )

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))


class _Fields:
    def __init__(self, **fields):
        self.__dict__.update(fields)


def _client_context(sent):
    client = sent.get("client") or {}
    names = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")
    return _Fields(
        custom=sent.get("custom"),
        env=sent.get("env"),
        client=_Fields(**{name: client.get(name) for name in names}),
    )


class LogHandler(logging.Handler):
    """Writes one line for each record, as Lambda does."""

    def emit(self, record):
        line = _json_record(record) if IS_JSON_LOG else _text_record(self.format(record), record)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _text_record(message, record):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    text = "[%s]\t%s.%03dZ\t%s\t%s" % (record.levelname, stamp, int(record.msecs), request_id or "", message)
    return text.replace("\n", "\r")


_PLAIN_RECORD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def _json_record(record):
    fields = {
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
        "level": record.levelname,
        "message": record.getMessage(),
        "logger": record.name,
    }
    if record.exc_info and record.exc_info[0]:
        fields["stackTrace"] = traceback.format_exception(*record.exc_info)
        fields["errorType"] = record.exc_info[0].__name__
        fields["errorMessage"] = str(record.exc_info[1])
        fields["location"] = "%s:%s:%d" % (record.pathname, record.funcName, record.lineno)
    if request_id:
        fields["requestId"] = request_id
    extra = {key: value for key, value in record.__dict__.items() if key not in _PLAIN_RECORD}
    return json.dumps({**fields, **extra}, default=str)


def set_up_logging():
    root = logging.getLogger()
    root.addHandler(LogHandler())
    if IS_JSON_LOG:
        root.setLevel(LEVELS.get(os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper(), logging.INFO))


def load_handler(name):
    if ".." in name or "." not in name:
        raise RuntimeFailure("Runtime.MalformedHandlerName", "Bad handler '%s': not enough values to unpack" % name)
    module_name, function_name = name.rsplit(".", 1)
    module_name = module_name.replace("/", ".")
    if module_name.split(".")[0] in sys.builtin_module_names:
        message = "Cannot use built-in module %s as a handler module" % module_name
        raise RuntimeFailure("Runtime.BuiltInModuleConflict", message)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        message = "Unable to import module '%s': %s" % (module_name, error)
        raise RuntimeFailure("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        message = "Syntax error in module '%s': %s" % (module_name, error)
        raise RuntimeFailure("Runtime.UserCodeSyntaxError", message) from error
    handler = getattr(module, function_name, None)
    if not callable(handler):
        message = "Handler '%s' missing on module '%s'" % (function_name, module_name)
        raise RuntimeFailure("Runtime.HandlerNotFound", message)
    return handler


def describe(error, for_request):
    """The error as body for the caller, as cause for the trace, and as the text that is logged."""
    frames = [] if isinstance(error, RuntimeFailure) else _user_frames(error)
    error_type = error.error_type if isinstance(error, RuntimeFailure) else type(error).__name__
    message = str(error)
    body = {
        "errorMessage": message,
        "errorType": error_type,
        "requestId": for_request,
        "stackTrace": traceback.format_list(frames),
    }
    stack = [{"path": frame.filename, "line": frame.lineno, "label": frame.name} for frame in frames[-50:]]
    cause = {
        "working_directory": os.getcwd(),
        "exceptions": [{"type": error_type, "message": message[:4096], "stack": stack}],
        "paths": sorted({frame.filename for frame in frames}),
    }
    lines = ["[ERROR] %s: %s" % (error_type, message)]
    if frames:
        lines += ["Traceback (most recent call last):"] + "".join(traceback.format_list(frames)).rstrip("\n").split("\n")
    return {"body": body, "cause": json.dumps(cause), "text": "\r".join(map(_keep_indent, lines)), "type": error_type}


def _user_frames(error):
    """Leaves out the frames of this file and of the import machinery, which do not help the user."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f for f in frames if f.filename != __file__ and not f.filename.startswith("<frozen importlib")]


def _keep_indent(line):
    """Turns leading blanks into no-break spaces, since log viewers drop leading blanks."""
    text = line.lstrip(" ")
    return "\u00a0" * (len(line) - len(text)) + text.replace("\n", "\r")


def report(error):
    if IS_JSON_LOG:
        body = error["body"]
        stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        fields = {"timestamp": stamp, "log_level": "ERROR", "level": "ERROR"}
        fields.update({key: body[key] for key in ("errorType", "errorMessage", "requestId", "stackTrace")})
        print(json.dumps(fields), flush=True)
    else:
        print(error["text"], flush=True)


def to_json(result):
    # Like AWS's runtimes, this writes a Decimal digit by digit; json cannot, so that a mark stands for it at first.
    decimals = []
    mark = "decimal-%s-" % os.urandom(8).hex()

    def plain(value):
        if isinstance(value, decimal.Decimal):
            if value.is_nan():
                return float("nan")
            decimals.append(str(value))
            return "%s%d" % (mark, len(decimals) - 1)
        raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)

    # AWS's runtimes do not escape characters outside of ASCII from Python 3.12 on.
    minor = os.environ.get("AWS_EXECUTION_ENV", "").rpartition("python3.")[2]
    escapes = not (minor.isdigit() and int(minor) >= 12)
    try:
        text = json.dumps(result, default=plain, ensure_ascii=escapes)
        if decimals:
            text = re.sub('"%s([0-9]+)"' % mark, lambda match: decimals[int(match.group(1))], text)
        return text.encode()
    except (TypeError, ValueError) as error:
        raise RuntimeFailure("Runtime.MarshalError", "Unable to marshal response: %s" % error) from error


def handle(api, handler, headers, body):
    global request_id
    context = LambdaContext(headers)
    request_id = context.aws_request_id
    trace_id = headers.get("Lambda-Runtime-Trace-Id")
    if trace_id:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    path = "/invocation/%s" % request_id
    try:
        result = handler(json.loads(body), context)
        payload = result if isinstance(result, bytes) else to_json(result)
    except Exception as error:  # an exception becomes the response; SystemExit is not an Exception and ends the process
        failure = describe(error, request_id)
        report(failure)
        sys.stdout.flush()
        api.post_error(path + "/error", failure)
        return
    sys.stdout.flush()
    api.call("POST", path + "/response", payload, {"Content-Type": "application/json"})


def main():
    # With the block buffering of a pipe, lines would arrive after the end of their invocation.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    # The packages that Lambda's runtime brings come last: they shadow no version of the function's own.
    sys.path.extend(sys.argv[1:])
    del sys.argv[1:]
    sys.path[0] = os.environ.get("LAMBDA_TASK_ROOT", os.getcwd())
    set_up_logging()
    try:
        handler = load_handler(os.environ.get("_HANDLER", ""))
    except Exception as error:
        failure = describe(error, "")
        report(failure)
        kind = failure["type"] if isinstance(error, RuntimeFailure) else "Runtime.Unknown"
        api.post_error("/init/error", failure, {TYPE_HEADER: kind})
        sys.exit(1)
    while True:
        headers, body = api.call("GET", "/invocation/next")
        handle(api, handler, headers, body)


if __name__ == "__main__":
    main()
