using Microsoft.AspNetCore.Http;

namespace Granary.Gateway.Http;

/// <summary>Errors as RFC 9457 problems.</summary>
internal static class Problems
{
    public static IResult Of(int status, string title, string detail) => Results.Problem(detail, statusCode: status, title: title);
}
