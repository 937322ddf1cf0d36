const { Logger } = require('@aws-lambda-powertools/logger');
const { injectLambdaContext } = require('@aws-lambda-powertools/logger/middleware');
const { Metrics } = require('@aws-lambda-powertools/metrics');
const { logMetrics } = require('@aws-lambda-powertools/metrics/middleware');
const { Tracer } = require('@aws-lambda-powertools/tracer');
const { captureLambdaHandler } = require('@aws-lambda-powertools/tracer/middleware');
const { default: middy } = require('@middy/core');

const [logger, metrics, tracer] = [new Logger(), new Metrics(), new Tracer()];

exports.handler = middy(async (event) => {
  logger.info('order', { id: event.id });
  metrics.addMetric('Order', 'Count', 1);
  tracer.putAnnotation('order', event.id);
  return { id: event.id };
})
  .use(captureLambdaHandler(tracer))
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics));
