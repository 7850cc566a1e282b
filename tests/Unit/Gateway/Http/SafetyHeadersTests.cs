using Granary.Gateway.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Granary.Unit.Gateway.Http;

/// <summary>By which names the server may be called, and what pages of other origins may do.</summary>
public sealed class SafetyHeadersTests
{
    [Theory]
    [InlineData("127.0.0.1:8080", "", true)]
    [InlineData("10.0.0.5", "", true)]
    [InlineData("[::1]:8080", "", true)]
    [InlineData("localhost:8080", "", true)]
    [InlineData("LOCALHOST", "", true)]
    [InlineData("", "", true)]
    [InlineData("elsewhere.example:8080", "", false)]
    [InlineData("localhost.elsewhere.example", "", false)]
    [InlineData("127.0.0.1.elsewhere.example", "", false)]
    [InlineData("gateway:8080", "", false)]
    [InlineData("gateway:8080", "gateway", true)]
    [InlineData("Granary.example", "gateway; granary.example", true)]
    [InlineData("127.0.0.1:8080", "gateway", true)]
    [InlineData("localhost:8080", "gateway", true)]
    [InlineData("elsewhere.example", "gateway", false)]
    [InlineData("elsewhere.example", "*", true)]
    public async Task Host_ThatIsNoNameOfTheServer_IsRefusedWhereverItListens(string host, string allowed, bool passes)
    {
        foreach (var local in new[] { "127.0.0.1", "172.18.0.7" })
        {
            var context = Request("GET", host);
            context.Connection.LocalIpAddress = System.Net.IPAddress.Parse(local);

            Assert.Equal(passes, await PassesAsync(context, allowed));

            Assert.Equal(passes ? 200 : 421, context.Response.StatusCode);
            if (!passes)
                Assert.Contains("Granary__Http__AllowedHosts", BodyOf(context), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("POST", "Origin", "http://elsewhere.example", false)]
    [InlineData("POST", "Origin", "http://127.0.0.1:8080", true)]
    [InlineData("POST", "Origin", "null", false)]
    [InlineData("DELETE", "Sec-Fetch-Site", "cross-site", false)]
    [InlineData("DELETE", "Sec-Fetch-Site", "same-origin", true)]
    [InlineData("GET", "Sec-Fetch-Site", "cross-site", true)]
    [InlineData("POST", "Accept", "*/*", true)]
    public async Task Page_OfAnotherOrigin_ChangesNothing(string method, string header, string value, bool passes)
    {
        var context = Request(method, "127.0.0.1:8080");
        context.Request.Headers[header] = value;

        Assert.Equal(passes, await PassesAsync(context, ""));

        Assert.Equal(passes ? 200 : 403, context.Response.StatusCode);
    }

    private static DefaultHttpContext Request(string method, string host)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Request.Host = new HostString(host);
        context.Response.Body = new MemoryStream();
        return context;
    }

    private static async Task<bool> PassesAsync(HttpContext context, string allowed)
    {
        var hasPassed = false;
        Task Next(HttpContext _)
        {
            hasPassed = true;
            return Task.CompletedTask;
        }

        await new SafetyHeaders(Next, Options.Create(new HttpOptions { AllowedHosts = allowed })).InvokeAsync(context);
        return hasPassed;
    }

    private static string BodyOf(HttpContext context) => System.Text.Encoding.UTF8.GetString(((MemoryStream)context.Response.Body).ToArray());
}
