using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Granary.Gateway.Http.Live;

/// <summary>GET /cluster/events: what happens in the cluster, as it happens (text/event-stream, WHATWG HTML 9.2).</summary>
internal static class LiveResource
{
    public static void MapGranaryLive(this IEndpointRouteBuilder endpoints) => endpoints
        .MapGet("/cluster/events", (Delegate)StreamAsync)
        .WithTags("Cluster")
        .WithSummary("What happens in the cluster, as it happens (text/event-stream); resumes by Last-Event-ID")
        .ProducesEvents()
        .TakesHeaders("Last-Event-ID: goes on after that event");

    private static async Task StreamAsync(HttpContext http)
    {
        _ = new QueryReader(http.Request);
        var (feed, sources) = ((LiveFeed)http.RequestServices.GetService(typeof(LiveFeed))!, (LiveSources)http.RequestServices.GetService(typeof(LiveSources))!);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, sources.Stopping);
        try
        {
            using var subscriber = await feed.SubscribeAsync(http.Request.Headers["Last-Event-ID"], ending.Token);
            if (subscriber is null)
                throw new Problem(StatusCodes.Status503ServiceUnavailable, "This process serves as many streams as Granary:Live:MaxSubscribers allows: ask another one, or later.");

            http.Response.ContentType = "text/event-stream";
            http.Response.Headers.CacheControl = "no-cache";
            http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            while (true)
                await WriteAsync(http.Response, feed, await subscriber.NextAsync(ending.Token), ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The reader has gone, or this process stops: the reader comes back to another one.
        }
    }

    private static async Task WriteAsync(HttpResponse response, LiveFeed feed, LiveEvent one, CancellationToken cancellation)
    {
        // Messages are one line: their writer puts no line ends into JSON.
        await response.Body.WriteAsync(Encoding.UTF8.GetBytes($"id: {feed.IdOf(one)}\nevent: {one.Name}\ndata: "), cancellation);
        await response.Body.WriteAsync(one.Data, cancellation);
        await response.Body.WriteAsync("\n\n"u8.ToArray(), cancellation);
        await response.Body.FlushAsync(cancellation);
    }
}
