using System.Net;
using System.Text;
using System.Text.Json;
using Granary.Gateway;
using Granary.Gateway.Hosting;
using Granary.Gateway.Http;
using Granary.Unit.Gateway.Kafka;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Granary.Unit.Gateway.Http;

/// <summary>The real HTTP API on a free port, before a cluster in memory.</summary>
internal sealed class TestHttp : IAsyncDisposable
{
    private readonly HttpClient _http = new();
    private readonly TaskCompletionSource _callerLeft = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TestHttp(WebApplication app, FakeCluster cluster, LogLines log) => (App, Cluster, Log) = (app, cluster, log);

    /// <summary>Ends when the server has noticed that a caller no longer waits for its answer.</summary>
    public Task CallerLeft => _callerLeft.Task;

    public WebApplication App { get; }

    public FakeCluster Cluster { get; }

    public LogLines Log { get; }

    public static async Task<TestHttp> StartAsync()
    {
        var (cluster, log) = (new FakeCluster(), new LogLines());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.Services.AddSingleton(cluster.Grains);
        builder.Services.AddGranaryGateway(options => options.Port = 0);
        builder.Services.AddGranaryHttp();
        builder.Services.AddGranaryHealth();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var test = new TestHttp(app, cluster, log);
        app.Use((context, next) =>
        {
            context.RequestAborted.Register(() => test._callerLeft.TrySetResult());
            return next();
        });
        app.UseGranaryHttp();
        app.MapGranaryHealth();
        app.MapGranaryHttp();
        await app.StartAsync(TestContext.Current.CancellationToken);
        test._http.BaseAddress = new Uri(app.Urls.Single());
        return test;
    }

    public Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path, string json, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, json, headers);

    public async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(HttpMethod method, string path, string? json = null, params (string Name, string Value)[] headers)
    {
        using var response = await SendAsync(Request(method, path, json, headers), TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(text));
    }

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation) => _http.SendAsync(request, cancellation);

    public static HttpRequestMessage Request(HttpMethod method, string path, string? json, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path) { Content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await App.DisposeAsync();
    }
}
