using System;
using System.IO;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Granary.Gateway.Generator;

/// <summary>Makes a class for each request and response of every `.api` file: its fields, how it is read and how it is written.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class CodecGenerator : IIncrementalGenerator
{
    private static readonly DiagnosticDescriptor s_malformed = new DiagnosticDescriptor(
        "GRAN001", "Malformed declaration of an API", "{0}", "Granary", DiagnosticSeverity.Error, isEnabledByDefault: true);

    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var declarations = context.AdditionalTextsProvider.Where(static file => file.Path.EndsWith(".api", StringComparison.Ordinal));
        context.RegisterSourceOutput(declarations, Generate);
    }

    private static void Generate(SourceProductionContext context, AdditionalText file)
    {
        var text = file.GetText(context.CancellationToken);
        if (text is null)
            return;
        try
        {
            foreach (var message in ApiParser.Parse(text.Lines.Select(line => line.ToString()).ToList()))
                context.AddSource(message.ClassName + ".g.cs", SourceText.From(MessageEmitter.Emit(message), System.Text.Encoding.UTF8));
        }
        catch (DeclarationException malformed)
        {
            var span = text.Lines[Math.Min(malformed.Line, text.Lines.Count - 1)].Span;
            var location = Location.Create(file.Path, span, text.Lines.GetLinePositionSpan(span));
            context.ReportDiagnostic(Diagnostic.Create(s_malformed, location, Path.GetFileName(file.Path) + ": " + malformed.Message));
        }
    }
}
