package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.xray.AWSXRay;
import com.amazonaws.xray.entities.Subsegment;
import java.util.LinkedHashMap;
import java.util.Map;

/** One action a key of the event. */
public class Orders implements RequestHandler<Map<String, Object>, Map<String, Object>> {
    private static int invocations = 0;

    static {
        System.out.println("loaded with header " + System.getProperty("com.amazonaws.xray.traceHeader"));
    }

    @Override
    public Map<String, Object> handleRequest(Map<String, Object> event, Context context) {
        context.getLogger().log("first message");
        context.getLogger().log("second message");
        if (event.containsKey("fail")) throw new IllegalStateException((String) event.get("fail"));
        if (event.containsKey("exit")) System.exit(3);
        while (event.containsKey("loop")) Thread.onSpinWait();
        if (event.containsKey("big")) return Map.of("big", "x".repeat(7 * 1024 * 1024));
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("invocation", ++invocations);
        result.put("name", context.getFunctionName());
        result.put("hasTimeLeft", context.getRemainingTimeInMillis() > 0);
        result.put("header", System.getProperty("com.amazonaws.xray.traceHeader"));
        result.put("java", Runtime.version().feature());
        result.put("heapMb", Runtime.getRuntime().maxMemory() >> 20);
        result.put("id", event.get("id"));
        return result;
    }

    /** With the X-Ray SDK: one subsegment. */
    public static Map<String, Object> traced(Map<String, Object> event) {
        try (Subsegment subsegment = AWSXRay.beginSubsegment("reserve")) {
            subsegment.putAnnotation("order", (String) event.get("id"));
            return Map.of("traceId", subsegment.getTraceId().toString());
        }
    }
}
