import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

/** Sends requests with Java's default settings, and prints each response's body. */
class Ask {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(arguments[0]));
        HttpRequest[] requests = {
            request.copy().POST(BodyPublishers.ofString("body")).build(),
            request.copy().POST(BodyPublishers.ofString("x".repeat(300_000))).build(),
            request.copy().GET().build(),
        };
        for (HttpRequest each : requests) {
            System.out.println(client.send(each, BodyHandlers.ofString()).body());
        }
    }
}
