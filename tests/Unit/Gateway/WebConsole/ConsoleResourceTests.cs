using System.Net;
using System.Net.Http.Headers;
using Granary.Gateway.WebConsole;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace Granary.Unit.Gateway.WebConsole;

/// <summary>The console's files over real HTTP.</summary>
public sealed class ConsoleResourceTests : IAsyncLifetime
{
    private const string Script = "/console/app.js";
    private const string Library = "/console/lib/preact-11.2.0.mjs";

    private readonly HttpClient _http = new(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None });
    private WebApplication? _app;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.Urls.Add("http://127.0.0.1:0");
        _app.MapGranaryConsole();
        await _app.StartAsync();
        _http.BaseAddress = new Uri(_app.Urls.Single());
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_app is not null)
            await _app.DisposeAsync();
    }

    [Fact]
    public async Task Page_IsGuardedByItsPolicy()
    {
        using var answer = await _http.GetAsync("/");
        Assert.Equal("text/html; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        Assert.Contains("require-trusted-types-for 'script'", answer.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.True(answer.Headers.CacheControl?.NoCache);
        Assert.Contains("<div id=\"app\">", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task File_ThatTheClientHas_IsNotSentAgain()
    {
        using var first = await _http.GetAsync(Script);
        using var request = new HttpRequestMessage(HttpMethod.Get, Script) { Headers = { IfNoneMatch = { first.Headers.ETag! } } };
        using var second = await _http.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Equal(first.Headers.ETag, second.Headers.ETag);
        Assert.Empty(await second.Content.ReadAsByteArrayAsync());

        using var other = new HttpRequestMessage(HttpMethod.Get, Script) { Headers = { IfNoneMatch = { new EntityTagHeaderValue("\"another\"") } } };
        using var third = await _http.SendAsync(other);
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
    }

    [Fact]
    public async Task Library_MayBeKeptForEver()
    {
        using var answer = await _http.GetAsync(Library);
        Assert.Contains("immutable", answer.Headers.GetValues("Cache-Control").Single());
    }

    [Theory]
    [InlineData("gzip, br", true)]
    [InlineData("br;q=0", false)]
    [InlineData("gzip", false)]
    public async Task File_IsCompressedWhereTheClientTakesIt(string accepted, bool compressed)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Script);
        request.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);
        using var answer = await _http.SendAsync(request);
        Assert.Equal(compressed ? ["br"] : [], answer.Content.Headers.ContentEncoding);
        Assert.Contains("Accept-Encoding", answer.Headers.Vary);
        var body = await answer.Content.ReadAsByteArrayAsync();
        var file = ConsoleFile.ReadAll().Single(one => one.Name == "app.js");
        Assert.Equal(compressed ? file.Compressed : file.Content, body);
    }

    [Fact]
    public async Task Head_SaysTheLengthOnly()
    {
        using var answer = await _http.SendAsync(new HttpRequestMessage(HttpMethod.Head, Script));
        Assert.Equal(ConsoleFile.ReadAll().Single(one => one.Name == "app.js").Content.Length, answer.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task UnknownFile_IsNotFound()
    {
        using var answer = await _http.GetAsync("/console/../GatewayHosting.cs");
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }
}
