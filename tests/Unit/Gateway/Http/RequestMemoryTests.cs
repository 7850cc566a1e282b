using Granary.Gateway.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Granary.Unit.Gateway.Http;

/// <summary>What all requests together may hold.</summary>
public sealed class RequestMemoryTests
{
    private const int Limit = 1 << 20;

    [Fact]
    public async Task Hold_MoreThanThereIs_IsRefused_UntilOthersEnd()
    {
        var begun = new TaskCompletionSource();
        var ending = new TaskCompletionSource();
        var bytes = Limit - 100;
        var memory = new RequestMemory(HoldAsync, Options.Create(new HttpOptions { MaxBytesInFlight = Limit }));
        var first = memory.InvokeAsync(new DefaultHttpContext());
        await begun.Task;

        bytes = 101;
        var problem = await Assert.ThrowsAsync<Problem>(() => memory.InvokeAsync(new DefaultHttpContext()));
        bytes = 100;
        var second = memory.InvokeAsync(new DefaultHttpContext());

        Assert.Equal((503, (object)(long)Limit), (problem.Status, problem.Limit));
        ending.SetResult();
        await Task.WhenAll(first, second);
        bytes = Limit;
        await memory.InvokeAsync(new DefaultHttpContext());

        // The first one may: it could never be answered otherwise.
        bytes = 10 * Limit;
        await memory.InvokeAsync(new DefaultHttpContext());

        Task HoldAsync(HttpContext context)
        {
            RequestMemory.Of(context).Hold(bytes / 2);
            RequestMemory.Of(context).Hold(bytes);
            begun.TrySetResult();
            return ending.Task;
        }
    }

    [Fact]
    public async Task Refusals_ThatPass_SayWhenToTryAgain()
    {
        var context = new DefaultHttpContext();
        await ProblemWriter.WriteAsync(context, new Problem(503, "full"));
        Assert.Equal("1", context.Response.Headers.RetryAfter);
    }

    [Fact]
    public void Connections_AreBoundedInTheServer()
    {
        var services = new ServiceCollection().AddLogging().AddGranaryHttp().Configure<HttpOptions>(options => options.MaxConnections = 7);
        using var provider = services.BuildServiceProvider();
        Assert.Equal(7, provider.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits.MaxConcurrentConnections);
    }
}
