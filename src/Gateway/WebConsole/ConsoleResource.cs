using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Granary.Gateway.WebConsole;

/// <summary>
/// GET / and /console/…: the web console. It is a handful of static files that live in this assembly; whatever it shows it asks of the HTTP
/// API in the browser. Its folder is not called Console: a namespace of that name would hide System.Console in the whole gateway.
/// </summary>
public static class ConsoleResource
{
    private const string Page = "index.html";
    private const string ImportMapStart = "<script type=\"importmap\">";
    private const string ImportMapEnd = "</script>";

    private static readonly string[] s_methods = [HttpMethods.Get, HttpMethods.Head];

    public static void MapGranaryConsole(this IEndpointRouteBuilder endpoints)
    {
        var files = ConsoleFile.ReadAll();
        var policy = PolicyOf(files.Single(static file => file.Name == Page));
        foreach (var file in files)
        {
            endpoints.MapMethods(file.Name == Page ? "/" : $"/console/{file.Name}", s_methods, context => AnswerAsync(context, file, policy))
                .WithMetadata(new Microsoft.AspNetCore.Routing.ExcludeFromDescriptionAttribute());
        }
    }

    /// <summary>
    /// What the page may do: run the scripts that lie beside it and speak to the server that it came from, nothing else. Trusted types have the
    /// browser itself refuse text as HTML. The import map is the one script inside the page, known by its hash.
    /// </summary>
    internal static string PolicyOf(ConsoleFile page)
    {
        var html = Encoding.UTF8.GetString(page.Content);
        var start = html.IndexOf(ImportMapStart, StringComparison.Ordinal) + ImportMapStart.Length;
        var end = html.IndexOf(ImportMapEnd, start, StringComparison.Ordinal);
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(html[start..end])));
        return $"default-src 'none'; script-src 'self' 'sha256-{hash}'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
            + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
    }

    private static Task AnswerAsync(HttpContext context, ConsoleFile file, string policy)
    {
        var headers = context.Response.Headers;
        headers.ETag = file.Tag;
        headers.CacheControl = file.IsImmutable ? "public, max-age=31536000, immutable" : "no-cache";
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = policy;
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.Vary = HeaderNames.AcceptEncoding;
        if (IsKnown(context.Request.Headers.IfNoneMatch, file.Tag))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        var compressed = TakesBrotli(context.Request);
        if (compressed)
            headers.ContentEncoding = "br";
        var body = compressed ? file.Compressed : file.Content;
        context.Response.ContentType = file.ContentType;
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    /// <summary>Whether the client has it already; what stands between is compared weakly, as If-None-Match wants it (RFC 9110, 13.1.2).</summary>
    private static bool IsKnown(StringValues ifNoneMatch, string tag) =>
        EntityTagHeaderValue.TryParseList(ifNoneMatch, out var known)
        && known.Any(one => one.Equals(EntityTagHeaderValue.Any) || one.Tag.Equals(tag, StringComparison.Ordinal));

    private static bool TakesBrotli(HttpRequest request) =>
        StringWithQualityHeaderValue.TryParseList(request.Headers.AcceptEncoding, out var encodings)
        && encodings.Any(static one => one.Value.Equals("br", StringComparison.OrdinalIgnoreCase) && one.Quality is null or > 0);
}
