/**
 * The module that CloudFormation adds to functions whose code is in the template (`ZipFile`), for custom resources:
 * `cfn-response` for Node, `cfnresponse` for Python. An event without `ResponseURL`, such as a test event, is not sent.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-lambda-function-code-cfnresponsemodule.html
 */
export function responseModule(
  runtime: string,
  code: string,
): { readonly path: string; readonly text: string } | undefined {
  if (runtime.startsWith('python')) {
    return /\bcfnresponse\b/.test(code) ? { path: 'cfnresponse.py', text: PYTHON } : undefined;
  }
  return /\bcfn-response\b/.test(code) ? { path: 'node_modules/cfn-response/index.js', text: NODE } : undefined;
}

const PYTHON = `import json
import urllib.request

SUCCESS = "SUCCESS"
FAILED = "FAILED"


def send(event, context, responseStatus, responseData, physicalResourceId=None, noEcho=False, reason=None):
    body = json.dumps({
        "Status": responseStatus,
        "Reason": reason or "See the details in CloudWatch Log Stream: " + context.log_stream_name,
        "PhysicalResourceId": physicalResourceId or context.log_stream_name,
        "StackId": event.get("StackId"),
        "RequestId": event.get("RequestId"),
        "LogicalResourceId": event.get("LogicalResourceId"),
        "NoEcho": noEcho,
        "Data": responseData,
    })
    print("Response body:")
    print(body)
    url = event.get("ResponseURL")
    if not url:
        print("The event has no ResponseURL: the response is not sent")
        return
    try:
        request = urllib.request.Request(url, data=body.encode(), method="PUT", headers={"Content-Type": ""})
        with urllib.request.urlopen(request) as response:
            print("Status code:", response.status)
    except Exception as error:
        print("send(..) failed:", error)
`;

const NODE = `'use strict';
exports.SUCCESS = 'SUCCESS';
exports.FAILED = 'FAILED';

exports.send = (event, context, responseStatus, responseData, physicalResourceId, noEcho) => {
  const body = JSON.stringify({
    Status: responseStatus,
    Reason: 'See the details in CloudWatch Log Stream: ' + context.logStreamName,
    PhysicalResourceId: physicalResourceId || context.logStreamName,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
    NoEcho: noEcho || false,
    Data: responseData,
  });
  console.log('Response body:\\n', body);
  return new Promise((resolve) => {
    const end = () => {
      if (typeof context.done === 'function') context.done();
      resolve();
    };
    if (!event.ResponseURL) {
      console.log('The event has no ResponseURL: the response is not sent');
      return end();
    }
    const url = new URL(event.ResponseURL);
    const { request } = require(url.protocol === 'http:' ? 'node:http' : 'node:https');
    const headers = { 'content-type': '', 'content-length': Buffer.byteLength(body) };
    const call = request(url, { method: 'PUT', headers }, (response) => {
      console.log('Status code: ' + response.statusCode);
      response.resume();
      end();
    });
    call.on('error', (error) => {
      console.log('send(..) failed: ' + error);
      end();
    });
    call.end(body);
  });
};
`;
