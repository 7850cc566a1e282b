using Microsoft.AspNetCore.Http;

namespace Granary.Gateway.Hosting;

/// <summary>What Kestrel takes to listen on: several URLs with semicolons between them, and `*` for all addresses.</summary>
internal static class ListenUrls
{
    public static bool AreValid(string urls)
    {
        try
        {
            return urls.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(BindingAddress.Parse).ToList() is { Count: > 0 };
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
